"""Subscriptions in the admin: the list, the form, pausing and ending, and how customers pay."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integration.decisions.subscriptions import add_months
from integration.enums import InvoiceDelivery, PaymentMethodKind, ReceiverType, SubscriptionState
from integration.enums import StatementStatus as S
from integration.models import AdminAction, Customer, GoCompany, InvoiceStatement, PaymentMethod, Subscription
from integration.use_cases.roll_subscriptions import roll_company
from tests import factories as f

pytestmark = pytest.mark.django_db

LIST = reverse("admin:integration_subscription_changelist")
ADD = reverse("admin:integration_subscription_add")


def page(record: Any) -> str:
    return reverse(f"admin:integration_{record._meta.model_name}_change", args=[record.pk])


def act(subscription: Subscription, name: str) -> str:
    return reverse("admin:integration_subscription_act", args=[subscription.pk, name])


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def soon() -> date:
    return timezone.localdate() + timedelta(days=3)


@pytest.fixture
def member(home: GoCompany) -> Subscription:
    """Paid first in three days, made ready already."""
    made = f.subscription(home, first_date=soon(), payment_day=soon().day, description="Medlemskap")
    roll_company(home.pk, clock=timezone.now)
    return made


def typed(subscription: Subscription, **values: Any) -> dict[str, Any]:
    return {
        "company": subscription.company_id,
        "holder": subscription.holder_id,
        "payer": subscription.payer_id,
        "product": subscription.product_id,
        "description": subscription.description,
        "price": "",
        "quantity": "1",
        "discount_percent": "0",
        "interval": "1",
        "payment_day": subscription.payment_day,
        "first_date": f"{subscription.first_date:%d.%m.%Y}",
        "payment_days": "",
        "binding_until": "",
        "notice_months": "0",
        **values,
    }


# --- The form -----------------------------------------------------------------------------------------------------


def test_a_new_subscription_is_paid_by_its_holder_and_made_ready_at_once(finance: Client, home: GoCompany):
    holder, product = f.customer(home), f.product(home)
    f.invoice_receiver(holder)
    like = Subscription(
        company=home, holder=holder, payer=holder, product=product, first_date=soon(), payment_day=soon().day
    )

    response = finance.post(ADD, typed(like, payer="", price="1 234,50"))

    assert response.status_code == 302
    made = Subscription.objects.get()
    assert (made.payer, made.price) == (holder, Decimal("1234.5"))
    assert [(row.payment_date, row.net) for row in InvoiceStatement.objects.all()] == [(soon(), made.price)]
    assert AdminAction.objects.get().action == "add"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"first_date": "01.01.2026"}, "Payments of the past are not made: choose today or a later day."),
        ({"payment_day": "32"}, "less than or equal to 31"),
        ({"quantity": "0"}, "A quantity is more than zero."),
        ({"discount_percent": "101"}, "less than or equal to 100"),
        ({"price": "-1"}, "greater than or equal to 0"),
        ({"interval": "2"}, "Select a valid choice"),
        ({"holder": ""}, "This field is required."),
    ],
    ids=str,
)
def test_what_is_wrong_is_refused_with_a_sentence(finance: Client, member: Subscription, values, sentence):
    response = finance.post(ADD, typed(member, **values))

    assert response.status_code == 200
    assert sentence in text(response)
    assert Subscription.objects.get() == member


def test_a_subscription_without_any_price_is_refused(finance: Client, home: GoCompany, member: Subscription):
    product = f.product(home, price=None, code="GRATIS")

    response = finance.post(ADD, typed(member, product=product.pk))

    assert "Product GRATIS has no price of its own: say what each payment costs." in text(response)


def test_a_new_payer_gets_what_is_upcoming(finance: Client, home: GoCompany, member: Subscription):
    payer = f.customer(home, name="Bedrift AS")

    finance.post(page(member), typed(member, payer=payer.pk))

    living = InvoiceStatement.objects.exclude(status=S.VOID)
    assert [(row.customer, row.payment_date) for row in living] == [(payer, soon())]
    assert InvoiceStatement.objects.filter(status=S.VOID).count() == 1


def test_the_end_is_not_typed_past_binding_and_notice(finance: Client, member: Subscription):
    finance.post(page(member), typed(member, ends_on=f"{soon():%d.%m.%Y}", state="PAUSED"))

    member.refresh_from_db()
    assert (member.ends_on, member.state) == (None, SubscriptionState.ACTIVE)


# --- What is shown ------------------------------------------------------------------------------------------------


def test_the_list_says_next_payment_earliest_end_and_who_cannot_be_invoiced(
    finance: Client, home: GoCompany, member: Subscription
):
    without = f.subscription(home, holder=f.customer(home, name="Sara Uten"), first_date=soon(), notice_months=2)

    shown = text(finance.get(LIST))

    assert f"{soon():%d.%m.%Y}" in shown
    assert f"{max(add_months(timezone.localdate(), 2), soon()):%d.%m.%Y}" in shown
    assert shown.count(">No default invoice receiver: no invoices are made<") == 1
    listed = finance.get(LIST, {"receiver": "no"}).context["cl"].queryset
    assert list(listed) == [without]
    assert list(finance.get(LIST, {"receiver": "yes"}).context["cl"].queryset) == [member]
    assert list(finance.get(LIST, {"q": "sara uten"}).context["cl"].queryset) == [without]


def test_the_list_says_what_is_active_paused_ending_and_ended(finance: Client, home: GoCompany, member: Subscription):
    f.subscription(home, state=SubscriptionState.PAUSED, ends_on=soon())
    f.subscription(home, ends_on=f.TODAY)

    shown = text(finance.get(LIST))

    assert '<span class="fb-badge fb-done">Active</span>' in shown
    assert f'<span class="fb-badge fb-waiting">Paused</span> <small class="fb-muted">ends {soon():%d.%m.%Y}' in shown
    assert f'<span class="fb-badge fb-quiet">Ended {f.TODAY:%d.%m.%Y}</span>' in shown


def test_the_page_says_what_became_of_it(finance: Client, member: Subscription):
    shown = text(finance.get(page(member)))

    assert f"S{member.payer_id}-{soon().isoformat()}" in shown
    assert "Earliest end, if notice is given today" in shown


def test_the_customer_page_lists_what_is_held_and_paid(finance: Client, home: GoCompany, member: Subscription):
    paid = f.subscription(home, holder=f.customer(home, name="Kari Holder"), payer=member.holder)
    f.subscription(home)

    shown = finance.get(page(member.holder))

    assert [row["holder"] for row in shown.context["subscriptions"]] == ["Kari Holder", member.holder.name]
    assert page(paid) in text(shown)


def test_not_invoiced_is_a_list_of_its_own(finance: Client, home: GoCompany, member: Subscription):
    f.subscription(home, holder=f.customer(home), first_date=soon(), payment_day=soon().day)
    roll_company(home.pk, clock=timezone.now)
    links = [
        item["link"]
        for group in finance.get(LIST).context["sidebar_navigation"]
        for item in group["items"]
        if item["title"] == "Not invoiced"
    ]

    [row] = finance.get(links[0]).context["cl"].queryset

    assert row.attention.startswith(f"Will not be invoiced on {soon():%d.%m.%Y}: ")


# --- Pausing and ending -------------------------------------------------------------------------------------------


def test_ending_says_the_earliest_day_before_and_keeps_to_it(finance: Client, member: Subscription):
    bound = timezone.localdate() + timedelta(days=100)
    Subscription.objects.update(binding_until=bound)

    asked = finance.get(act(member, "end_subscription"))
    early = finance.post(
        act(member, "end_subscription"),
        {"confirmed": "1", "ends_on": f"{soon():%d.%m.%Y}", "reason": "Moves"},
        follow=True,
    )
    assert Subscription.objects.get().ends_on is None
    finance.post(act(member, "end_subscription"), {"confirmed": "1", "ends_on": f"{bound:%d.%m.%Y}", "reason": "Moves"})

    assert f"{bound:%d.%m.%Y}" in text(asked)
    assert f"0 ended, 1 held back: cannot end before {bound:%d.%m.%Y}, by its binding and notice." in text(early)
    assert Subscription.objects.get().ends_on == bound
    written = AdminAction.objects.get(action="end_subscription")
    assert (written.after, written.reason) == ({"ends_on": bound.isoformat()}, "Moves")


def test_pause_withdraws_what_is_upcoming_and_resume_makes_it_again(finance: Client, member: Subscription):
    finance.post(act(member, "pause_subscription"), {"confirmed": "1", "reason": "Ill"})
    paused = [row.status for row in InvoiceStatement.objects.all()]
    finance.post(act(member, "resume_subscription"), {"confirmed": "1", "reason": "Well"})

    member.refresh_from_db()
    assert paused == [S.VOID]
    assert (member.state, member.resumed_on) == (SubscriptionState.ACTIVE, timezone.localdate())
    assert InvoiceStatement.objects.filter(status=S.UPCOMING).count() == 1


def test_a_planned_end_is_called_off(finance: Client, member: Subscription):
    Subscription.objects.update(ends_on=soon())

    finance.post(act(member, "resume_subscription"), {"confirmed": "1", "reason": "Stays"})

    assert Subscription.objects.get().ends_on is None


def test_several_at_once_from_the_list(finance: Client, home: GoCompany, member: Subscription):
    other = f.subscription(home, state=SubscriptionState.PAUSED)
    chosen = {"action": "pause", "_selected_action": [member.pk, other.pk], "index": "0", "select_across": "0"}

    asked = text(finance.post(LIST, chosen))
    done = text(finance.post(LIST, {**chosen, "confirmed": "2", "reason": "Closed"}, follow=True))

    assert "1: is paused already" in asked
    assert "1 paused, 1 held back: is paused already." in done


def test_nothing_is_done_without_a_reason(finance: Client, member: Subscription):
    response = finance.post(act(member, "pause_subscription"), {"confirmed": "1", "reason": ""})

    assert "Say why" in text(response)
    assert Subscription.objects.get().state == SubscriptionState.ACTIVE


@pytest.mark.parametrize("role", ["Support", "Reader", ""])
def test_others_only_read(as_role: Callable[..., Client], member: Subscription, role):
    client = as_role(role)

    codes = [client.get(address).status_code for address in (LIST, page(member), ADD, act(member, "end_subscription"))]

    assert codes == ([200, 200, 403, 403] if role else [403, 403, 403, 403])
    assert client.post(page(member), typed(member, price="1")).status_code == 403


def test_the_act_page_of_another_company_is_not_there(finance: Client):
    assert finance.get(act(f.subscription(), "end_subscription")).status_code == 404


# --- How customers pay --------------------------------------------------------------------------------------------


def methods(customer: Customer, *rows: dict[str, Any]) -> dict[str, Any]:
    """The customer's page with these rows of payment methods, as a browser posts it."""
    data: dict[str, Any] = {
        "company": customer.company_id,
        "number": customer.number,
        "name": customer.name,
        "country": "NO",
        "delivery": customer.delivery,
        "is_person": "on" if customer.is_person else "",
        "is_active": "on",
        "source": customer.source,
        "source_id": customer.source_id,
        "contact_persons-TOTAL_FORMS": "0",
        "contact_persons-INITIAL_FORMS": "0",
        "payment_methods-TOTAL_FORMS": str(len(rows)),
        "payment_methods-INITIAL_FORMS": str(sum("id" in row for row in rows)),
    }
    for index, row in enumerate(rows):
        whole = {"customer": customer.pk, "kind": "INVOICE", "receiver_type": "DEFAULT", "delivery": "DEFAULT", **row}
        data |= {f"payment_methods-{index}-{name}": value for name, value in whole.items()}
    return data


def test_an_invoice_receiver_takes_the_name_as_reference_and_its_delivery_counts(finance: Client, home: GoCompany):
    customer = f.customer(home)
    f.subscription(home, holder=customer, first_date=soon(), payment_day=soon().day)
    roll_company(home.pk, clock=timezone.now)

    response = finance.post(page(customer), methods(customer, {"is_default": "on", "delivery": "PRINT"}), follow=True)

    method = PaymentMethod.objects.get()
    assert (method.kind, method.invoice_reference) == (PaymentMethodKind.INVOICE, customer.name)
    assert Customer.objects.get(pk=customer.pk).delivery == InvoiceDelivery.PRINT
    assert "Invoice delivery is now “Print”, as the default invoice receiver says." in text(response)
    [statement] = InvoiceStatement.objects.all()
    assert (statement.attention, statement.customer_reference) == ("", customer.name)


@pytest.mark.parametrize(
    ("is_person", "receiver_type", "sentence"),
    [
        (True, ReceiverType.COMPANY, "The customer is a private person. Make the company a customer of its own"),
        (False, ReceiverType.PERSON, "The customer is a company. Make the person a customer of its own"),
    ],
)
def test_a_receiver_is_what_the_customer_is(finance: Client, home: GoCompany, is_person, receiver_type, sentence):
    customer = f.customer(home, is_person=is_person)

    response = finance.post(page(customer), methods(customer, {"receiver_type": receiver_type}))

    assert sentence in text(response)
    assert not PaymentMethod.objects.exists()


def test_a_method_in_use_is_not_removed(finance: Client, home: GoCompany, member: Subscription):
    customer = member.payer
    method = customer.payment_methods.get()
    gone = {"id": method.pk, "DELETE": "on", "is_default": "on", "invoice_reference": "x"}

    refused = finance.post(page(customer), methods(customer, gone))
    Subscription.objects.update(ends_on=timezone.localdate(), first_date=timezone.localdate())
    InvoiceStatement.objects.update(status=S.PROCESSING)
    under_way = finance.post(page(customer), methods(customer, gone))
    InvoiceStatement.objects.update(status=S.VOID)
    finance.post(page(customer), methods(customer, gone))

    sentence = f"Invoice receiver cannot be removed: 1 subscription that {customer} pays would not be invoiced."
    assert sentence in text(refused)
    assert "1 statement is on the way to PowerOffice Go with it." in text(under_way)
    assert not PaymentMethod.objects.exists()


def test_a_card_is_removed(finance: Client, home: GoCompany):
    customer = f.customer(home)
    card = PaymentMethod.objects.create(customer=customer, kind=PaymentMethodKind.CARD)

    finance.post(page(customer), methods(customer, {"id": card.pk, "kind": "CARD", "DELETE": "on"}))

    assert not PaymentMethod.objects.exists()


def test_two_defaults_are_refused(finance: Client, home: GoCompany):
    customer = f.customer(home)

    response = finance.post(
        page(customer), methods(customer, {"is_default": "on"}, {"kind": "CARD", "is_default": "on"}), follow=True
    )

    assert PaymentMethod.objects.count() == 0
    assert response.status_code == 200
