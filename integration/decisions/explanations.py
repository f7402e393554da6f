"""Every cause that can stop or delay something, in a bookkeeper's words: what it is, who must act, where and how.

The codes are those of `attention_code` on statements and `error_code` on attempts. Where PowerOffice Go refuses, its
own words say why, and nobody knows all of them (reference/poweroffice-go.md §4.2): what is recognised gets a code of
its own, the rest stays REFUSED with Go's text beside it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Who(StrEnum):
    """Who must act."""

    FINANCE = "Finance"
    SUPPORT = "Support"
    ACCOUNTANT = "The accountant in PowerOffice Go"
    SOURCE = "The staff of the source"
    NOBODY = "Nobody: it goes on by itself"


@dataclass(frozen=True)
class Explanation:
    """One cause. `place` is where to mend it: one of our lists in the menu, or the path in Go's menus."""

    title: str
    who: Who
    to_do: str
    place: str = ""


STUCK_STATEMENT: Final = "Statements, the statement's page"
CUSTOMERS: Final = "Customers, the customer's page"
PRODUCTS: Final = "Products, the product's page"
COMPANY: Final = "Settings, Go companies"
IN_GO: Final = "PowerOffice Go: "
IN_GO_CUSTOMER: Final = f"{IN_GO}Customers"
IN_GO_REGISTERS: Final = f"{IN_GO}Settings, Registers"
IN_GO_ORDERS: Final = f"{IN_GO}Sales, Sales orders"

NOT_TAKEN: Final = Explanation(
    "PowerOffice Go refused it", Who.FINANCE, "Mend what its own words say, then push again.", STUCK_STATEMENT
)
OUR_FAULT: Final = Explanation(
    "Fakturabro made a mistake", Who.SUPPORT, "Find the details in the log, and tell the developers.", "Sync, Attempts"
)

CATALOGUE: Final[dict[str, Explanation]] = {
    # What the statement itself lacks.
    "NO_CUSTOMER": Explanation(
        "The statement has no customer", Who.FINANCE, "Choose the customer, then push again.", STUCK_STATEMENT
    ),
    "NO_LINES": Explanation(
        "There is nothing to invoice on it",
        Who.FINANCE,
        "Add a product line, or withdraw the statement.",
        STUCK_STATEMENT,
    ),
    "NO_QUANTITY": Explanation(
        "A line has no quantity", Who.FINANCE, "Fill in the quantity, then push again.", STUCK_STATEMENT
    ),
    "NO_PRICE": Explanation("A line has no price", Who.FINANCE, "Fill in the price, then push again.", STUCK_STATEMENT),
    "LINE_EMPTY": Explanation(
        "A text line has no text", Who.FINANCE, "Write something or remove the line, then push again.", STUCK_STATEMENT
    ),
    "TEXT_TOO_LONG": Explanation(
        "A text is longer than PowerOffice Go takes", Who.FINANCE, "Shorten it, then push again.", STUCK_STATEMENT
    ),
    "TOO_MANY_LINES": Explanation(
        "It has more lines than one order can have", Who.FINANCE, "Split the statement in two.", STUCK_STATEMENT
    ),
    "ZERO_TOTAL": Explanation(
        "The total is zero", Who.FINANCE, "Correct the lines, or withdraw the statement.", STUCK_STATEMENT
    ),
    "NEGATIVE": Explanation(
        "An invoice with a negative total", Who.FINANCE, "Make it a credit note, or correct the lines.", STUCK_STATEMENT
    ),
    "POSITIVE": Explanation(
        "A credit note with a positive total", Who.FINANCE, "Use negative quantities, then push again.", STUCK_STATEMENT
    ),
    "CURRENCY": Explanation(
        "The currency is not one we know", Who.FINANCE, "Correct the currency, then push again.", STUCK_STATEMENT
    ),
    "SUM_DIFFERS": Explanation(
        "The source states another total than the lines sum to",
        Who.SOURCE,
        "Find out which is right with the staff of the source, correct it, then push again.",
        STUCK_STATEMENT,
    ),
    "CREDITS_NO_INVOICE": Explanation(
        "It credits an invoice that has no number yet",
        Who.ACCOUNTANT,
        "Send the invoice in PowerOffice Go, update its status, then push again.",
        IN_GO_ORDERS,
    ),
    "CREDITS_TOO_MUCH": Explanation(
        "It credits more than is left of the invoice", Who.FINANCE, "Credit less, or withdraw it.", STUCK_STATEMENT
    ),
    # What it needs in Go.
    "CUSTOMER": Explanation(
        "The customer cannot be made or found in PowerOffice Go",
        Who.FINANCE,
        "Correct the customer as the message says, then push again.",
        CUSTOMERS,
    ),
    "CUSTOMER_EHF": Explanation(
        "EHF needs an organisation number that is registered for it",
        Who.FINANCE,
        "Fill in the organisation number, or choose another delivery, then push again.",
        CUSTOMERS,
    ),
    "CUSTOMER_EMAIL": Explanation(
        "Delivery by e-mail needs an e-mail address",
        Who.FINANCE,
        "Fill in the e-mail for invoices, or choose another delivery, then push again.",
        CUSTOMERS,
    ),
    "CUSTOMER_NUMBER": Explanation(
        "The customer number lies outside Go's series, or is taken",
        Who.FINANCE,
        "Give the customer another number, or none, then push again.",
        CUSTOMERS,
    ),
    "CUSTOMER_AMBIGUOUS": Explanation(
        "Several customers in PowerOffice Go could be this one",
        Who.FINANCE,
        "Give it the customer number or organisation number of the right one, then push again.",
        CUSTOMERS,
    ),
    "CUSTOMER_UNKNOWN": Explanation(
        "PowerOffice Go no longer has this customer",
        Who.FINANCE,
        "Push again: the customer is looked for anew, and made if it is not there.",
        CUSTOMERS,
    ),
    "PRODUCT_UNKNOWN": Explanation(
        "A product is not in PowerOffice Go",
        Who.FINANCE,
        "Make it there or give it a sales account here, then push again.",
        PRODUCTS,
    ),
    "DEPARTMENT_UNKNOWN": Explanation(
        "A department code is not in PowerOffice Go",
        Who.ACCOUNTANT,
        "Make the department there, or correct the line's code, then push again.",
        IN_GO_REGISTERS,
    ),
    "PROJECT_UNKNOWN": Explanation(
        "A project code is not in PowerOffice Go",
        Who.ACCOUNTANT,
        "Make the project there, or correct the line's code, then push again.",
        IN_GO_REGISTERS,
    ),
    "DIMENSION_REQUIRED": Explanation(
        "The sales account requires a department or project",
        Who.FINANCE,
        "Fill in the line's department or project, then push again.",
        STUCK_STATEMENT,
    ),
    "ACCOUNT": Explanation(
        "An account or its VAT code does not fit",
        Who.ACCOUNTANT,
        "Compare the product's sales account and VAT code with PowerOffice Go, then push again.",
        PRODUCTS,
    ),
    "CURRENCY_NOT_ACTIVE": Explanation(
        "The currency is not active in PowerOffice Go",
        Who.ACCOUNTANT,
        "Switch the currency on there, then push again.",
        IN_GO_REGISTERS,
    ),
    "PERIOD_LOCKED": Explanation(
        "The period is locked in PowerOffice Go",
        Who.ACCOUNTANT,
        "Open the period there, or give the statement a later date, then push again.",
        f"{IN_GO}Settings, Accounting, Lock date",
    ),
    "BEFORE_CONVERSION": Explanation(
        "The date is before PowerOffice Go was taken into use",
        Who.FINANCE,
        "Give the statement a later date, then push again.",
        STUCK_STATEMENT,
    ),
    "ATTACHMENT": Explanation(
        "PowerOffice Go refused an attachment",
        Who.SUPPORT,
        "Take the attachment away or make it smaller, then push again.",
        STUCK_STATEMENT,
    ),
    # What Go says of the order.
    "REFUSED": NOT_TAKEN,
    "PERMANENT_ERROR": NOT_TAKEN,
    "NOT_FOUND": Explanation(
        "Something it needs is no longer in PowerOffice Go",
        Who.FINANCE,
        "Push again: customer and products are looked for anew.",
        STUCK_STATEMENT,
    ),
    "CONFLICT": Explanation(
        "The order's state in PowerOffice Go forbids it",
        Who.ACCOUNTANT,
        "Look at the order there: it may be locked, sent or in use.",
        IN_GO_ORDERS,
    ),
    "ORDER_LOCKED": Explanation(
        "The draft is locked in PowerOffice Go", Who.ACCOUNTANT, "Unlock it there, then try again.", IN_GO_ORDERS
    ),
    "REFERENCE_TAKEN": Explanation(
        "PowerOffice Go says that our reference is in use, but shows no such order",
        Who.FINANCE,
        "Make sure that the customer has not been invoiced, then push again: it gets a new reference.",
        IN_GO_ORDERS,
    ),
    "OTHER_ORDER": Explanation(
        "Another order stands under our reference",
        Who.FINANCE,
        "Look at that order; delete it there or correct the statement, then push again: we look first.",
        IN_GO_ORDERS,
    ),
    "COMBINED_UNSEEN": Explanation(
        "It was combined with others before we saw it", Who.FINANCE, "Link it with that one.", STUCK_STATEMENT
    ),
    "COMBINED": Explanation(
        "It was combined with others in PowerOffice Go",
        Who.FINANCE,
        "Look at the evidence and accept the link.",
        "Link broken",
    ),
    "VANISHED": Explanation(
        "The draft is gone from PowerOffice Go",
        Who.FINANCE,
        "Say what became of it: link it, or treat it as cancelled.",
        "Link broken",
    ),
    "TWICE_IN_GO": Explanation(
        "PowerOffice Go has it twice", Who.ACCOUNTANT, "Delete or credit one of the two there.", IN_GO_ORDERS
    ),
    "EDITED_IN_GO": Explanation(
        "Somebody changed the draft in PowerOffice Go",
        Who.FINANCE,
        "Compare it with Go, then accept it or restore ours.",
        "Compare with Go, on the statement's page",
    ),
    "TOTAL_DIFFERS": Explanation(
        "PowerOffice Go reckons another total",
        Who.ACCOUNTANT,
        "Compare the VAT codes of the sales accounts.",
        PRODUCTS,
    ),
    "INVOICE_TOTAL_DIFFERS": Explanation(
        "The invoice has another total than the statement",
        Who.FINANCE,
        "Compare the two: somebody changed it, or a VAT code differs.",
        STUCK_STATEMENT,
    ),
    "SEND_FAILED": Explanation(
        "PowerOffice Go did not send the invoice",
        Who.ACCOUNTANT,
        "Mend what its own words say, then send.",
        IN_GO_ORDERS,
    ),
    "NOT_DELIVERED": Explanation(
        "The invoice is sent, but was not delivered",
        Who.ACCOUNTANT,
        "Deliver it another way in PowerOffice Go.",
        f"{IN_GO}Sales, Invoices",
    ),
    # Subscriptions.
    "NO_RECEIVER": Explanation(
        "The payer has no default invoice receiver",
        Who.FINANCE,
        "Choose a default under Payment methods; the statement then goes on its date.",
        CUSTOMERS,
    ),
    "SUBSCRIPTION_CHANGED": Explanation(
        "The subscription was changed after the statement was",
        Who.FINANCE,
        "Look whether the statement is as it should be.",
        STUCK_STATEMENT,
    ),
    # Keys and rights: the whole company waits.
    "KEY_REJECTED": Explanation(
        "PowerOffice Go refuses the client key", Who.SUPPORT, "Enter the right key, then test the connection.", COMPANY
    ),
    "SUBSCRIPTION_KEY_REJECTED": Explanation(
        "PowerOffice Go refuses the installation's subscription key",
        Who.SUPPORT,
        "Put the right subscription key into the environment.",
        "GO_SUBSCRIPTION_KEY",
    ),
    "PRIVILEGE_MISSING": Explanation(
        "The key lacks a right, or the company lacks a module",
        Who.ACCOUNTANT,
        "Grant it in PowerOffice Go, then test the connection: it lists what is missing.",
        f"{IN_GO}Settings, Extensions",
    ),
    "CONFIGURATION_ERROR": Explanation(
        "Keys or rights are not in order", Who.SUPPORT, "Test the connection: it says what is missing.", COMPANY
    ),
    # What heals by waiting.
    "THROTTLED": Explanation(
        "PowerOffice Go asked us to slow down", Who.NOBODY, "It is tried again at the time shown."
    ),
    "UNAVAILABLE": Explanation("PowerOffice Go does not answer", Who.NOBODY, "It is tried again at the time shown."),
    "TEMPORARY_ERROR": Explanation(
        "It did not work for the moment", Who.NOBODY, "It is tried again at the time shown."
    ),
    "IN_DOUBT": Explanation(
        "It was sent, and no answer came", Who.NOBODY, "It is looked up before anything else is done."
    ),
    "LATE_ANSWER": Explanation(
        "The answer came after we had given it up", Who.NOBODY, "It is looked up before anything else is done."
    ),
    "WORKER_LOST": Explanation(
        "The worker stopped in the middle", Who.NOBODY, "It is looked up before anything else is done."
    ),
    # Our own.
    "INTERNAL": OUR_FAULT,
    "REMOTE_ERROR": OUR_FAULT,
}

UNKNOWN: Final = Explanation(
    "A cause that has no entry in the catalogue yet",
    Who.SUPPORT,
    "Read the message, and tell the developers its code.",
    "Sync, Attempts",
)


def explain(code: str) -> Explanation:
    """The entry of a code; UNKNOWN where there is none."""
    return CATALOGUE.get(code, UNKNOWN)


REFUSALS: Final[tuple[tuple[str, str], ...]] = (
    # The unknown code or id of §4.2: `Department with code = 'X' not found.`
    (r"\bproduct\b.*\bnot found\b", "PRODUCT_UNKNOWN"),
    (r"\b(customer|contact)\b.*\bnot found\b", "CUSTOMER_UNKNOWN"),
    (r"\bdepartment\b.*\bnot found\b", "DEPARTMENT_UNKNOWN"),
    (r"\bproject\b.*\bnot found\b", "PROJECT_UNKNOWN"),
    # The rules of §14 and §12 whose words nobody knows: recognised by what they must be about.
    (r"\bconversion ?date\b", "BEFORE_CONVERSION"),
    (r"\block(ed)? ?(date|period)\b|\bperiod\b.*\b(locked|closed)\b", "PERIOD_LOCKED"),
    (r"\b(department|project|dimension)\b.*\b(required|missing|mandatory)\b", "DIMENSION_REQUIRED"),
    (r"\b(currency)\b.*\b(not|in)[ -]?(active|found|enabled)\b", "CURRENCY_NOT_ACTIVE"),
    (r"\b(account|vat ?code)\b", "ACCOUNT"),
    (r"\battachment\b", "ATTACHMENT"),
    (r"\bis (locked|confirmed)\b", "ORDER_LOCKED"),
)

CUSTOMER_REFUSALS: Final[tuple[tuple[str, str], ...]] = (
    (r"\b(ehf|elma|peppol)\b", "CUSTOMER_EHF"),
    (r"\b(needs?|requires?|missing|required)\b.*\be-?mail|\be-?mail.*\b(missing|required|needed)\b", "CUSTOMER_EMAIL"),
    (r"\b(number|code)\b.*\b(series|range|use|taken|exists)\b", "CUSTOMER_NUMBER"),
)


def refusal_code(words: str, *, otherwise: str, about: Iterable[tuple[str, str]] = REFUSALS) -> str:
    """The code of what Go's own words are about; `otherwise` where they say nothing that is known."""
    said = words.casefold()
    return next((code for pattern, code in about if re.search(pattern, said)), otherwise)


def customer_refusal_code(words: str) -> str:
    """The same for what Go says when it refuses a customer."""
    return refusal_code(words, otherwise="CUSTOMER", about=CUSTOMER_REFUSALS)
