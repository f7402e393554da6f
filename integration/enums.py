"""The choices everybody uses. Stored in upper case; the label is what a bookkeeper reads."""

from django.db.models import IntegerChoices, TextChoices


class CompanyState(TextChoices):
    """Whether we talk to PowerOffice Go for a company."""

    SETUP = "SETUP", "Being set up"
    ACTIVE = "ACTIVE", "Active"
    PAUSED = "PAUSED", "Paused: key or rights refused"
    OFF = "OFF", "Off"


class OrderStateOnArrival(TextChoices):
    """How a sales order is left in Go: the API calls the locked one `Confirmed`."""

    DRAFT = "DRAFT", "Draft, editable"
    LOCKED = "LOCKED", "Draft, locked"


class DataOwner(TextChoices):
    """Who is right when customer data differs."""

    SOURCE = "SOURCE", "The source system"
    HERE = "HERE", "Fakturabro"
    GO = "GO", "PowerOffice Go"


class VanishedDraftPolicy(TextChoices):
    """What becomes of a draft that is gone from Go without a trace."""

    ASK = "ASK", "Ask a person"
    CANCELLED = "CANCELLED", "Treat as cancelled"


class StatementKind(TextChoices):
    """What a statement becomes in Go."""

    INVOICE = "INVOICE", "Invoice"
    CREDIT_NOTE = "CREDIT_NOTE", "Credit note"


class StatementSource(TextChoices):
    """Where a statement, customer or product came from."""

    HAND = "HAND", "Typed by hand"
    SPREADSHEET = "SPREADSHEET", "Spreadsheet"
    QONDOR = "QONDOR", "Qondor"
    SUBSCRIPTION = "SUBSCRIPTION", "Subscription"
    API = "API", "API"


class StatementStatus(TextChoices):
    """The life of a statement; the moves between them are in `decisions/transitions.py`."""

    UPCOMING = "UPCOMING", "Upcoming"
    PROCESSING = "PROCESSING", "Processing"
    PUSHING = "PUSHING", "Being transferred"
    IN_DOUBT = "IN_DOUBT", "In doubt: checking"
    NEEDS_FIX = "NEEDS_FIX", "Stuck"
    DRAFT = "DRAFT", "In Go, not sent"
    CONFIRMED = "CONFIRMED", "In Go, locked"
    SENT = "SENT", "Sent, unpaid"
    PARTLY_PAID = "PARTLY_PAID", "Partly paid"
    PAID = "PAID", "Paid"
    LINK_BROKEN = "LINK_BROKEN", "Link broken"
    CANCELLED = "CANCELLED", "Failed payment"
    CREDITED = "CREDITED", "Credited"
    WRITTEN_OFF = "WRITTEN_OFF", "Written off"
    SETTLED_OTHERWISE = "SETTLED_OTHERWISE", "Settled otherwise"
    VOID = "VOID", "Withdrawn"


class LineKind(TextChoices):
    """A line that is sold, or a line that is only read."""

    PRODUCT = "PRODUCT", "Product"
    TEXT = "TEXT", "Text"


class InvoiceDelivery(TextChoices):
    """How Go delivers a customer's invoices. Go alone sets AvtaleGiro and eFaktura."""

    DEFAULT = "DEFAULT", "As PowerOffice Go decides"
    EMAIL = "EMAIL", "PDF by e-mail"
    EHF = "EHF", "EHF"
    PRINT = "PRINT", "Print"


class PaymentMethodKind(TextChoices):
    """How a customer pays."""

    INVOICE = "INVOICE", "Invoice receiver"
    CARD = "CARD", "Card"
    DIRECT_DEBIT = "DIRECT_DEBIT", "Direct debit"


class ReceiverType(TextChoices):
    """As whom an invoice receiver is invoiced."""

    DEFAULT = "DEFAULT", "Default: as the customer is"
    PERSON = "PERSON", "Private person"
    COMPANY = "COMPANY", "Company"


class SubscriptionState(TextChoices):
    """Whether a subscription makes invoices. One that ends keeps its state; its last day says the rest."""

    ACTIVE = "ACTIVE", "Active"
    PAUSED = "PAUSED", "Paused"


class SubscriptionAct(TextChoices):
    """What people do with subscriptions; the words are those of the buttons."""

    PAUSE = "pause_subscription", "Pause"
    RESUME = "resume_subscription", "Resume"
    END = "end_subscription", "End"


class Interval(IntegerChoices):
    """Months between two payments of a subscription."""

    MONTH = 1, "Every month"
    QUARTER = 3, "Every three months"
    HALF_YEAR = 6, "Every six months"
    YEAR = 12, "Every year"


class InvoiceType(TextChoices):
    """Go's two kinds of outgoing invoice."""

    INVOICE = "INVOICE", "Invoice"
    CREDIT_NOTE = "CREDIT_NOTE", "Credit note"


class SharingRule(TextChoices):
    """How the money of a combined invoice is shared out over its statements."""

    OLDEST_FIRST = "OLDEST_FIRST", "The oldest due first"
    IN_PROPORTION = "IN_PROPORTION", "In proportion to their amounts"


class Part(TextChoices):
    """What an invoice's amount consists of; the parts sum to the invoice."""

    PAID = "PAID", "Paid"
    NETTED = "NETTED", "Netted"
    UNEXPLAINED = "UNEXPLAINED", "Settled, Go does not say how"
    CREDITED = "CREDITED", "Credited"
    WRITTEN_OFF = "WRITTEN_OFF", "Written off"
    REVERSED = "REVERSED", "Reversed"
    OPEN = "OPEN", "Open"


class MoneyState(TextChoices):
    """What a bookkeeper says of an outgoing invoice. Derived from the ledger, never stored."""

    UNPAID = "UNPAID", "Unpaid"
    PARTLY_SETTLED = "PARTLY_SETTLED", "Partly settled"
    PARTLY_PAID = "PARTLY_PAID", "Partly paid"
    PAID = "PAID", "Paid"
    OVERPAID = "OVERPAID", "Overpaid"
    PARTLY_CREDITED = "PARTLY_CREDITED", "Credited in part"
    CREDITED = "CREDITED", "Credited in full"
    PARTLY_WRITTEN_OFF = "PARTLY_WRITTEN_OFF", "Written off in part"
    WRITTEN_OFF = "WRITTEN_OFF", "Written off"
    NETTED = "NETTED", "Netted against a credit note"
    REVERSED = "REVERSED", "Reversed"
    REMINDED = "REMINDED", "Reminded"
    IN_COLLECTION = "IN_COLLECTION", "In collection"
    OVERDUE = "OVERDUE", "Overdue"


class Resource(TextChoices):
    """What a watermark belongs to."""

    CUSTOMERS = "CUSTOMERS", "Customers"
    PRODUCTS = "PRODUCTS", "Products"
    INVOICES = "INVOICES", "Outgoing invoices"
    LEDGER = "LEDGER", "Customer ledger"


class Operation(TextChoices):
    """What an attempt tries to do with a remote system."""

    CREATE_ORDER = "CREATE_ORDER", "Create sales order"
    LOOK_UP_ORDER = "LOOK_UP_ORDER", "Look up sales order"
    CREATE_CUSTOMER = "CREATE_CUSTOMER", "Create customer"
    UPDATE_CUSTOMER = "UPDATE_CUSTOMER", "Update customer"
    CREATE_PRODUCT = "CREATE_PRODUCT", "Create product"
    READ_CUSTOMERS = "READ_CUSTOMERS", "Read customers"
    READ_PRODUCTS = "READ_PRODUCTS", "Read products"
    PULL = "PULL", "Update status"
    SEND_INVOICE = "SEND_INVOICE", "Send invoice"
    LOOK_UP_SENDING = "LOOK_UP_SENDING", "Look up sending"
    DELETE_ORDER = "DELETE_ORDER", "Delete sales order"
    CHECK_COMPANY = "CHECK_COMPANY", "Test connection"


class AttemptOutcome(TextChoices):
    """How an attempt ended; an attempt without an outcome is still under way."""

    DONE = "DONE", "Done"
    FOUND = "FOUND", "Already there"
    ABSENT = "ABSENT", "Not there"
    LATER = "LATER", "Nothing done, later again"
    IN_DOUBT = "IN_DOUBT", "In doubt"
    REFUSED = "REFUSED", "Refused"
    NOT_READY = "NOT_READY", "Not ready"
    SETUP = "SETUP", "Keys or rights refused"
    INTERNAL = "INTERNAL", "Our own fault"


class RunOutcome(TextChoices):
    """How a cycle ended."""

    DONE = "DONE", "Done"
    PARTLY = "PARTLY", "Stopped, goes on"
    FAILED = "FAILED", "Failed"


class RunTrigger(TextChoices):
    """Who started a cycle."""

    SCHEDULE = "SCHEDULE", "Schedule"
    SWEEP = "SWEEP", "Sweep"
    PERSON = "PERSON", "A person"
    TERMINAL = "TERMINAL", "Terminal"


class ReviewAction(TextChoices):
    """What people do with statements; the words are those of the buttons."""

    PUSH = "push", "Push drafts"
    ACTIVATE = "activate", "Activate"
    HOLD = "hold", "Hold"
    WITHDRAW = "withdraw", "Withdraw"
    RELEASE = "release", "Push again"
    SEND = "send", "Send from Go"


class ByHandAction(TextChoices):
    """What people decide about payments that PowerOffice Go does not know of; the words are those of the buttons."""

    MARK_PAID = "mark_paid", "Mark as paid by hand"
    FOLLOW_GO = "follow_go", "Follow PowerOffice again"
    SETTLE = "settle_otherwise", "Take another payment method"
    INVOICE_AGAIN = "invoice_again", "Invoice again"
    CREDIT_HERE = "credit_here", "Credit here only"
    CANCEL = "treat_as_cancelled", "Treat as cancelled"
    APPROVE = "approve_payment", "Approve"
    REFUSE = "refuse_payment", "Refuse"
    TAKE_BACK = "take_back_payment", "Take back"


class HandPaymentMethod(TextChoices):
    """How money came that PowerOffice Go does not know of."""

    BANK = "BANK", "Bank transfer"
    CARD = "CARD", "Card"
    CASH = "CASH", "Cash"
    VIPPS = "VIPPS", "Vipps"
    DIRECT_DEBIT = "DIRECT_DEBIT", "Direct debit"
    GIFT_CARD = "GIFT_CARD", "Gift card"
    NETTING = "NETTING", "Netted against what we owe"
    OTHER = "OTHER", "Other: the reason says how"


class HandPaymentState(TextChoices):
    """Whether a payment by hand counts."""

    WAITING = "WAITING", "Waits for a second person"
    IN_FORCE = "IN_FORCE", "In force"
    REFUSED = "REFUSED", "Refused"
    TAKEN_BACK = "TAKEN_BACK", "Taken back"
    UNDONE = "UNDONE", "Undone: follows PowerOffice Go"


class UploadState(TextChoices):
    """How far an uploaded spreadsheet is."""

    PREVIEWED = "PREVIEWED", "Shown as a preview"
    READING = "READING", "Being read"
    CHECKING = "CHECKING", "Being checked"
    CHECKED = "CHECKED", "Waits for your confirmation"
    IMPORTING = "IMPORTING", "Being imported"
    DONE = "DONE", "Done"
    STOPPED = "STOPPED", "Stopped"


class PortionState(TextChoices):
    """How far some rows of an uploaded spreadsheet are."""

    READ = "READ", "Read"
    CHECKED = "CHECKED", "Checked"
    DONE = "DONE", "Done"
