"""`GET /ClientIntegrationInformation`: whose books, and what the integration may do (reference §6)."""

from integration.sandbox.transport import Answer, Call, endpoint, rights_of


@endpoint("GET", "/ClientIntegrationInformation")
def client_integration_information(call: Call) -> Answer:
    """Needs nothing but a valid token."""
    company = call.books.company
    good, bad = rights_of(company)
    return Answer(
        200,
        {
            "ClientId": str(company.client_id),
            "ClientName": company.name,
            "ActiveClientSubscriptions": company.subscriptions,
            "ValidPrivileges": good,
            "InvalidPrivileges": bad,
            "AllowSendInvoice": company.allow_send,
        },
    )
