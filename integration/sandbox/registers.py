"""Customers, products and all the other registers (reference §12-§14, rows 28-38).

One `Kind` per register: its words, its rules, its filters. `serve` makes the five usual endpoints of it.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from integration.sandbox import words
from integration.sandbox.books import Books
from integration.sandbox.errors import invalid, missing, problem
from integration.sandbox.fields import Table, accepted, names, noun, patched, shown
from integration.sandbox.lists import within
from integration.sandbox.models import LedgerEntry, OrderState, Record, SalesOrder
from integration.sandbox.pricing import reserved
from integration.sandbox.transport import Answer, Call, Handler, endpoint

Row = dict[str, Any]
Rule = Callable[[Books, Row, "Record | None"], None]
Filters = dict[str, tuple[str, Callable[[Row, Any], bool]]]


def nothing_more(_books: Books, _data: Row, _record: Record | None) -> None:
    """No rules beyond the table."""


def since(member: str) -> tuple[str, Callable[[Row, Any], bool]]:
    """An exclusive changed-since filter (row 23)."""
    return "moment", lambda row, moment: row[member] is not None and row[member] > moment


def among(member: str) -> tuple[str, Callable[[Row, Any], bool]]:
    """A filter by a comma list of texts."""
    return "texts", lambda row, values: row[member] in values


def equal(member: str, kind: str = "text") -> tuple[str, Callable[[Row, Any], bool]]:
    """A filter by one value."""
    return kind, lambda row, value: row[member] == value


CHANGED: Filters = {"lastChangedDateTimeOffsetGreaterThan": since("LastChangedDateTimeOffset")}
STAMPED: Filters = {**CHANGED, "createdDateTimeOffsetGreaterThan": since("CreatedDateTimeOffset")}


@dataclass(frozen=True)
class Kind:
    """A register: where it is, who may use it, its members and what they must obey."""

    register: str
    path: str
    table: Table
    privileges: tuple[str, ...]
    required: tuple[str, ...] = ("Name",)
    code: str = "Code"
    number_codes: bool = False
    rule: Rule = nothing_more
    more: Callable[[Books, Record], Row] | None = None
    filters: Filters = field(default_factory=dict)
    post_status: int = 201
    delete_status: int = 200
    stamped: bool = True

    @property
    def members(self) -> frozenset[str]:
        """What Fields and OrderBy may name."""
        extra = {"Id", "LastChangedDateTimeOffset", "CreatedDateTimeOffset"} | EXTRA.get(self.register, set())
        return frozenset({name for name, each in self.table.items() if "r" in each.modes} | extra)

    @property
    def entity(self) -> str:
        """As error titles spell it."""
        return self.register

    @property
    def dto(self) -> str:
        """The patch object's name in error texts."""
        return f"{self.register}PatchDto"

    def words(self, books: Books, record: Record) -> Row:
        """The object as an answer shows it."""
        row: Row = {"Id": record.pk, **shown(books, self.table, record.data)}
        if self.stamped:
            row["CreatedDateTimeOffset"] = record.created_at
        row["LastChangedDateTimeOffset"] = record.changed_at
        return row | (self.more(books, record) if self.more else {})


EXTRA = {
    "Customer": {
        "ContactCreatedDateTimeOffset", "CustomerCreatedDateTimeOffset", "IsActive", "SubledgerAccountId",
        "CreatedFromImportJournalId",
    },
    "Product": {"StockAvailable", "StockOnHandLastChangedDatetimeOffset"},
    "ContactPerson": {"ContactId"},
}  # fmt: skip


def create(books: Books, kind: Kind, data: Row, parent: Record | None = None) -> Record:
    """Enter checked members into the register."""
    for name in kind.required:
        if not str(data.get(name) if data.get(name) is not None else "").strip():
            raise invalid(kind.entity, f"The {name} field is required.")
    kind.rule(books, data, None)
    code = data.get(kind.code)
    if code is None and kind.code in kind.table and kind.code != "ExternalCode":
        code = data[kind.code] = next_code(books, kind)
    refuse_taken(books, kind, code, None)
    record = Record.objects.create(
        company=books.company,
        kind=kind.register,
        parent=parent,
        code=None if code is None else str(code),
        data=data,
        created_at=books.now,
        changed_at=books.now,
        stock_changed_at=books.now if data.get("StockOnHand") is not None else None,
    )
    books.know(record)
    keep_one_default(books, kind, record)
    return record


def next_code(books: Books, kind: Kind) -> Any:
    """The next free number of a register whose codes are left out (reference §13, inferred)."""
    used = {
        int(code) for code in books.register(kind.register).values_list("code", flat=True) if code and code.isdecimal()
    }
    following = str(max(used, default=0) + 1)
    return int(following) if kind.number_codes else following


def refuse_taken(books: Books, kind: Kind, code: Any, record: Record | None) -> None:
    """400 when another entry has this code or number; the detail names its id (row 30)."""
    if code is None:
        return
    other = books.register(kind.register).filter(code=str(code)).first()
    if other and other != record:
        raise invalid(kind.entity, f"{kind.code} is already in use. '{code}' is used on Id = {other.pk}.")


def refuse_taken_reference(books: Books, data: Row, record: Record | None) -> None:
    """ExternalImportReference and ExternalNumber are unique among customers (row 30)."""
    for member in ("ExternalImportReference", "ExternalNumber"):
        value = data.get(member)
        if value is None or value == "":
            continue
        other = books.register("Customer").filter(**{f"data__{member}": value}).first()
        if other and other != record:
            raise invalid("Customer", f"{member} is already in use. '{value}' is used on (contact) Id = {other.pk}.")


def keep_one_default(books: Books, kind: Kind, record: Record) -> None:
    """A new default takes over from the old one."""
    if kind.register == "ContactPerson" or not record.data.get("IsDefault"):
        return
    for other in books.register(kind.register).exclude(pk=record.pk).filter(data__IsDefault=True):
        other.data["IsDefault"] = False
        other.save(update_fields=["data"])
        books.know(other)


def change(books: Books, kind: Kind, record: Record, data: Row) -> None:
    """Write patched members; the stock has its own stamp and leaves LastChanged alone (row 36)."""
    for name in kind.required:
        if not str(data.get(name) if data.get(name) is not None else "").strip():
            raise invalid(kind.entity, f"The {name} field is required.")
    kind.rule(books, data, record)
    code = data.get(kind.code)
    refuse_taken(books, kind, code, record)
    before = record.data
    if data.get("StockOnHand") != before.get("StockOnHand"):
        record.stock_changed_at = books.now
    if {**data, "StockOnHand": None, "MailAddress": None} != {**before, "StockOnHand": None, "MailAddress": None}:
        record.changed_at = books.now
    record.data = data
    record.code = None if code is None else str(code)
    record.save()
    keep_one_default(books, kind, record)


def found(books: Books, kind: Kind, pk: int) -> Record:
    """An entry by id, or 404; a lagging replica does not know the newest (row 15)."""
    record = books.record(kind.register, pk)
    if record is None:
        raise missing(f"{noun(kind.register)} with id = {pk} not found.")
    return record


def visible(books: Books, kind: Kind, pk: int) -> Record:
    """For a GET: as `found`, but what is too new is not there yet."""
    record = found(books, kind, pk)
    if books.too_new(record.created_at):
        raise missing(f"{noun(kind.register)} with id = {pk} not found.")
    return record


def referred_to(books: Books, record: Record) -> bool:
    """Whether something else in the books holds this id."""
    for other in KINDS.values():
        for member, each in other.table.items():
            if each.register != record.kind or each.stands_for:
                continue
            if books.register(other.register).filter(**{f"data__{member}": record.pk}).exists():
                return True
    orders = SalesOrder.objects.filter(company=books.company, state__in=[OrderState.OPEN, OrderState.SENDING])
    members = [name for name, each in words.ORDER.items() if each.register == record.kind and not each.stands_for]
    line_members = [name for name, each in words.LINE.items() if each.register == record.kind and not each.stands_for]
    if not members and not line_members:
        return False
    return any(
        any(order.header.get(name) == record.pk for name in members)
        or any(line.get(name) == record.pk for line in order.lines for name in line_members)
        for order in orders.iterator()
    )


def used(books: Books, record: Record) -> bool:
    """Whether an entry is in use and so cannot be deleted (row 33)."""
    if record.kind == "Customer":
        orders = SalesOrder.objects.filter(customer=record)
        return orders.exists() or LedgerEntry.objects.filter(customer=record).exists() or referred_to(books, record)
    if record.kind == "Product" and any(
        line.get("ProductId") == record.pk
        for order in SalesOrder.objects.filter(company=books.company, state=OrderState.SENT).iterator()
        for line in order.lines
    ):
        return True
    return referred_to(books, record)


def remove(books: Books, kind: Kind, record: Record) -> None:
    """Delete an entry, or 409."""
    if used(books, record):
        text = f"{noun(kind.register)} with id = {record.pk} is in use and cannot be deleted."
        raise problem(409, f"{noun(kind.register)} conflict", text)
    record.delete()


def rows_of(call: Call, kind: Kind, records: list[Record]) -> list[Row]:
    """The rows of a list after its filters."""
    books, rows = call.books, []
    wanted = {name: value for name, value in call.query.items() if name in kind.filters}
    for record in records:
        if books.too_new(record.created_at):
            continue
        row = kind.words(books, record)
        if all(kind.filters[name][1](row, value) for name, value in wanted.items()):
            rows.append(row)
    return rows


def serve(kind: Kind, methods: str = "list post get patch delete") -> None:
    """Declare the usual endpoints of a register."""
    one = f"{kind.path}/{{id:int}}"

    def get_list(call: Call) -> list[Row]:
        return rows_of(call, kind, call.books.load(kind.register))

    def post(call: Call) -> Answer:
        data = accepted(call.books, kind.table, call.body(kind.entity), kind.entity)
        return Answer(kind.post_status, kind.words(call.books, create(call.books, kind, data)))

    def get(call: Call) -> Answer:
        return Answer(200, kind.words(call.books, visible(call.books, kind, call.ids["id"])))

    def patch(call: Call) -> Answer:
        record = found(call.books, kind, call.ids["id"])
        names = (kind.entity, kind.dto)
        change(call.books, kind, record, patched(call.books, kind.table, record.data, call.body(kind.entity), names))
        return Answer(200, kind.words(call.books, record))

    def delete(call: Call) -> Answer:
        remove(call.books, kind, found(call.books, kind, call.ids["id"]))
        return Answer(kind.delete_status)

    parameters = {name: each[0] for name, each in kind.filters.items()}
    handlers: dict[str, tuple[str, str, Handler]] = {
        "list": ("GET", kind.path, get_list),
        "post": ("POST", kind.path, post),
        "get": ("GET", one, get),
        "patch": ("PATCH", one, patch),
        "delete": ("DELETE", one, delete),
    }
    for name in methods.split():
        method, path, handler = handlers[name]
        if name == "list":
            endpoint(method, path, *kind.privileges, parameters=parameters, members=kind.members)(handler)
        else:
            endpoint(method, path, *kind.privileges)(handler)


def customer_rule(books: Books, data: Row, record: Record | None) -> None:
    """Names, number, references and delivery type of a customer (rows 28-31)."""
    required = ("FirstName", "LastName") if data.get("IsPerson") else ("Name",)
    for name in required:
        if not str(data.get(name) or "").strip():
            raise invalid("Customer", f"The {name} field is required.")
    if data.get("IsPerson") and (data.get("LegalName") or data.get("OrganizationNumber")):
        raise invalid("Customer", "LegalName and OrganizationNumber are only for companies.")
    series_id = data.pop("SubLedgerNumberSeriesId", None)
    if data.get("Number") is None:
        data["Number"] = next_customer_number(books, series_id)
    elif (record is None or record.data.get("Number") != data["Number"]) and not any(
        series["FromInclusive"] <= data["Number"] <= series["ToInclusive"] for series in customer_series(books)
    ):
        raise invalid("Customer", f"Number {data['Number']} is not within any customer number series.")
    refuse_taken_reference(books, data, record)
    refuse_delivery_type(data, record)
    archives = record is not None and data.get("IsArchived") and not record.data.get("IsArchived")
    if archives and LedgerEntry.objects.filter(customer=record).exclude(balance_ore=0).exists():
        raise invalid("Customer", "A customer with a ledger balance cannot be archived.")


def customer_series(books: Books) -> list[Row]:
    """The number series of type Customer, the default one first."""
    series = [each.data for each in books.load("SubLedgerNumberSeries")]
    wanted = [each for each in series if each["SubLedgerNumberSeriesType"] == "Customer"]
    return sorted(wanted, key=lambda each: not each["IsDefault"])


def next_customer_number(books: Books, series_id: str | None) -> int:
    """The next free number of the series asked for, or of the default one (row 28)."""
    for series in customer_series(books):
        if series_id in {None, series["Id"]}:
            low, high = series["FromInclusive"], series["ToInclusive"]
            codes = books.register("Customer").values_list("code", flat=True)
            last = max((int(code) for code in codes if code and low <= int(code) <= high), default=low - 1)
            if last < high:
                return last + 1
            raise invalid("Customer", "The number series is full.")
    raise invalid("Customer", f"SubLedgerNumberSeries with id = '{series_id}' not found.", 404)


def refuse_delivery_type(data: Row, record: Record | None) -> None:
    """What each way of delivery needs (row 31); left out, e-mail if there is one, else print (§19.9, unknown)."""
    wanted = data.get("InvoiceDeliveryType")
    has_email = bool(data.get("InvoiceEmailAddress") or data.get("EmailAddress"))
    if wanted is None:
        data["InvoiceDeliveryType"] = "PdfByEmail" if has_email else "Print"
        return
    if record is not None and wanted == record.data.get("InvoiceDeliveryType"):
        return
    if wanted in {"AvtaleGiro", "Efaktura"}:
        raise invalid("Customer", f"InvoiceDeliveryType cannot be set to {wanted}.")
    if wanted in {"External", "Factoring"}:
        raise invalid("Customer", f"InvoiceDeliveryType {wanted} needs an active {wanted} integration.")
    if wanted == "PdfByEmail" and not has_email:
        raise invalid("Customer", "InvoiceDeliveryType PdfByEmail needs an e-mail address.")
    if wanted == "EHF" and not data.get("OrganizationNumber"):
        raise invalid("Customer", "InvoiceDeliveryType EHF needs an OrganizationNumber registered in ELMA.")


def customer_more(_books: Books, record: Record) -> Row:
    """The read-only members of a customer."""
    data = record.data
    return {
        "ContactCreatedDateTimeOffset": record.created_at,
        "CustomerCreatedDateTimeOffset": record.created_at,
        "Name": record.title,
        "IsActive": not data.get("IsArchived", False),
        "NationalIdNumber": "hidden" if data.get("NationalIdNumber") else None,
        "SubledgerAccountId": record.pk,
        "CreatedFromImportJournalId": None,
    }


def product_rule(books: Books, data: Row, record: Record | None) -> None:
    """Stock needs a stock item (row 36); without a group the default one is taken (reference §13)."""
    stock = data.get("StockOnHand")
    if stock is not None and not data.get("IsStockItem"):
        raise invalid("Product", "StockOnHand can only be set when IsStockItem is true.")
    if record is None and "ProductGroupId" not in data:
        group = books.default("ProductGroup") or next(iter(books.load("ProductGroup")), None)
        if group is not None:
            data["ProductGroupId"] = group.pk


def product_more(books: Books, record: Record) -> Row:
    """The stock of a product."""
    on_hand = record.data.get("StockOnHand")
    return {
        "StockAvailable": None if on_hand is None else on_hand - reserved(books, record),
        "StockOnHandLastChangedDatetimeOffset": record.stock_changed_at,
    }


def contact_person_rule(_books: Books, data: Row, _record: Record | None) -> None:
    """The e-mail address is looked at for typing errors (reference §12.3)."""
    email = data.get("EmailAddress")
    if email and ("@" not in email or "." not in email.partition("@")[2]):
        raise invalid("Contact person", f"EmailAddress '{email}' is not a valid e-mail address.")


def positive_days(_books: Books, data: Row, _record: Record | None) -> None:
    """Credit days are 0 or more."""
    if not 0 <= (data.get("CreditDays") or 0) <= 3650:
        raise invalid("Payment term", "CreditDays must be 0 or more.")


NUMBER_RANGES = ("ranges", lambda row, value: within(row["Number"], value))
PRODUCT_FILTERS: Filters = {
    "codes": among("Code"),
    "names": among("Name"),
    "isArchived": equal("IsArchived", "bool"),
    "type": ("text", lambda row, value: str(row["ProductType"]).lower() == value.lower()),
    **STAMPED,
}
KINDS = {
    kind.register: kind
    for kind in (
        Kind(
            "Customer", "/Customers", words.CUSTOMER, ("Customer",), (), "Number",
            number_codes=True, rule=customer_rule, more=customer_more, stamped=False,
            filters={
                "contactGroupIds": ("ids", lambda row, value: bool(set(row["ContactGroupIds"] or []) & set(value))),
                "customerCreatedDateTimeOffsetGreaterThan": since("CustomerCreatedDateTimeOffset"),
                "customerNos": NUMBER_RANGES,
                "externalImportReference": equal("ExternalImportReference"),
                "externalNos": ("ranges", lambda row, value: within(row["ExternalNumber"], value)),
                "organizationNumbers": among("OrganizationNumber"),
                "emailAddresses": (
                    "texts",
                    lambda row, value: (row["EmailAddress"] or "").lower() in {each.lower() for each in value},
                ),
                **CHANGED,
            },
        ),
        Kind(
            "ContactPerson", "/ContactPersons", words.CONTACT_PERSON, ("ContactPerson", "Customer", "Supplier"),
            ("FirstName", "LastName"), "ExternalCode", rule=contact_person_rule,
            more=lambda _books, record: {"ContactId": record.parent_id},
            filters={
                "contactIds": ("ids", lambda row, value: row["ContactId"] in value),
                "externalCodes": among("ExternalCode"),
                **STAMPED,
            },
        ),
        Kind(
            "Product", "/Products", words.PRODUCT, ("Product",), rule=product_rule, more=product_more,
            filters={
                **PRODUCT_FILTERS,
                "productGroupCodes": among("ProductGroupCode"),
                "stockOnHandLastChangedDatetimeOffsetGreaterThan": since("StockOnHandLastChangedDatetimeOffset"),
            },
        ),
        Kind("ProductGroup", "/ProductGroups", words.PRODUCT_GROUP, ("Product",), filters=PRODUCT_FILTERS),
        Kind(
            "Department", "/Departments", words.DEPARTMENT, ("Department",),
            filters={
                **STAMPED,
                "codes": among("Code"),
                "isActive": equal("IsActive", "bool"),
                "name": equal("Name"),
                "createdFromImportJournalId": ("uuid", lambda _row, _value: False),
                "managerEmployeeNo": ("int", lambda _row, _value: False),
            },
        ),
        Kind(
            "Project", "/Projects", words.PROJECT, ("Project",),
            filters={
                **STAMPED,
                "customerNos": ("ranges", lambda row, value: within(row["CustomerNo"], value)),
                "departmentCodes": among("DepartmentCode"),
                "excludeArchivedProject": (
                    "bool", lambda row, value: not value or row["ProjectStatus"] != "Archived",
                ),
                "includeSubProjects": ("bool", lambda _row, _value: True),
                "name": equal("Name"),
                "projectBillingMethod": equal("ProjectBillingMethod"),
                "projectCodes": among("Code"),
                "projectManagerEmployeeNos": ("ranges", lambda _row, _value: False),
                "status": equal("ProjectStatus"),
            },
        ),
        Kind(
            "Location", "/Locations", words.LOCATION, ("Location",), post_status=200,
            filters={"codes": among("Code"), "createdDateTimeOffsetGreaterThan": since("CreatedDateTimeOffset")},
        ),
        Kind(
            "PaymentTerm", "/PaymentTerms", words.PAYMENT_TERM, ("CommonServices",), ("Name", "CreditDays"),
            rule=positive_days, delete_status=201,
        ),
        Kind("DeliveryTerm", "/DeliveryTerms", words.DELIVERY_TERM, ("CommonServices",)),
        Kind("BrandingTheme", "/BrandingThemes", words.BRANDING_THEME, ("CommonServices",)),
        Kind(
            "GeneralLedgerAccount", "/GeneralLedgerAccounts", words.ACCOUNT, ("GeneralLedgerAccount",),
            ("Name", "AccountNo", "IsActive"), "AccountNo", number_codes=True, stamped=False,
            filters={
                **CHANGED,
                "accountNos": ("ranges", lambda row, value: within(row["AccountNo"], value)),
                "agricultureDepartments": ("texts", lambda _row, _value: True),
            },
        ),
    )
}  # fmt: skip

for _kind in KINDS.values():
    if _kind.register == "ContactPerson":
        serve(_kind, "list")
    elif _kind.register == "BrandingTheme":
        serve(_kind, "list get")
    else:
        serve(_kind)

PERSON = KINDS["ContactPerson"]
CUSTOMERS = KINDS["Customer"]


def person_of(call: Call) -> Record:
    """The contact person in the path, who must belong to the contact in the path."""
    person = call.books.record("ContactPerson", call.ids["id"])
    if person is None or person.parent_id != call.ids["contactId"]:
        text = f"Contact person with id = {call.ids['id']} not found on Contact with id = {call.ids['contactId']}."
        raise missing(text)
    return person


@endpoint("GET", "/ContactPersons/{contactId:int}", *PERSON.privileges, members=PERSON.members)
def contact_persons(call: Call) -> list[Row]:
    """The contact persons of one contact."""
    contact = visible(call.books, CUSTOMERS, call.ids["contactId"])
    return rows_of(call, PERSON, [each for each in call.books.load("ContactPerson") if each.parent_id == contact.pk])


@endpoint("POST", "/ContactPersons/{contactId:int}", *PERSON.privileges)
def post_contact_person(call: Call) -> Answer:
    """A new contact person."""
    contact = found(call.books, CUSTOMERS, call.ids["contactId"])
    data = accepted(call.books, PERSON.table, call.body("Contact person"), "Contact person")
    return Answer(201, PERSON.words(call.books, create(call.books, PERSON, data, contact)))


@endpoint("GET", "/ContactPersons/{contactId:int}/{id:int}", *PERSON.privileges)
def get_contact_person(call: Call) -> Answer:
    """One contact person."""
    person_of(call)
    return Answer(200, PERSON.words(call.books, visible(call.books, PERSON, call.ids["id"])))


@endpoint("PATCH", "/ContactPersons/{contactId:int}/{id:int}", *PERSON.privileges)
def patch_contact_person(call: Call) -> Answer:
    """Change a contact person; the customer's LastChanged does not move."""
    person = person_of(call)
    names = ("Contact person", PERSON.dto)
    change(call.books, PERSON, person, patched(call.books, PERSON.table, person.data, call.body(names[0]), names))
    return Answer(200, PERSON.words(call.books, person))


@endpoint("DELETE", "/ContactPersons/{contactId:int}/{id:int}", *PERSON.privileges)
def delete_contact_person(call: Call) -> Answer:
    """Delete a contact person, or 409 when orders refer to it."""
    remove(call.books, PERSON, person_of(call))
    return Answer(200)


VAT_MEMBERS = frozenset({"Id", *words.VAT_CODE})


@endpoint(
    "GET", "/VatCodes", "CommonServices",
    parameters={"includeExpired": "bool", "isActive": "bool"}, members=VAT_MEMBERS,
)  # fmt: skip
def vat_codes(call: Call) -> list[Row]:
    """The VAT codes; expired ones only when asked for."""
    today = call.books.today.isoformat()
    rows = [
        {"Id": record.pk, **shown(call.books, words.VAT_CODE, record.data)} for record in call.books.load("VatCode")
    ]
    if not call.query.get("includeExpired"):
        rows = [row for row in rows if not row["ValidTo"] or row["ValidTo"] >= today]
    return [row for row in rows if call.query.get("isActive") in {None, row["IsActive"]}]


SERIES_MEMBERS = frozenset(
    names(
        "Id FromInclusive GeneralLedgerAccountId GeneralLedgerAccountNo IsClientTrust IsDefault Name "
        "SubLedgerNumberSeriesType ToInclusive"
    )
)


@endpoint(
    "GET", "/SubLedgerNumberSeries", "CommonServices",
    parameters={"generalLedgerAccountNos": "ranges", "isDefault": "bool", "subLedgerNumberSeriesType": "text"},
    members=SERIES_MEMBERS,
)  # fmt: skip
def number_series(call: Call) -> list[Row]:
    """The number series; the filter by type minds upper and lower case (reference §12.1)."""
    wanted = call.query
    return [
        row
        for row in (record.data for record in call.books.load("SubLedgerNumberSeries"))
        if wanted.get("isDefault") in {None, row["IsDefault"]}
        and wanted.get("subLedgerNumberSeriesType") in {None, row["SubLedgerNumberSeriesType"]}
        and within(row["GeneralLedgerAccountNo"], wanted.get("generalLedgerAccountNos", [(0, 10**9)]))
    ]


@endpoint("GET", "/SubLedgerNumberSeries/{id:uuid}", "CommonServices")
def one_number_series(call: Call) -> Answer:
    """One number series."""
    for record in call.books.load("SubLedgerNumberSeries"):
        if record.data["Id"] == str(call.ids["id"]):
            return Answer(200, record.data)
    raise missing(f"Sub ledger number series with id = {call.ids['id']} not found.")


@endpoint(
    "GET", "/Currencies", "CommonServices",
    parameters={"currencyCode": "text", "isActive": "bool"}, members=frozenset({"Code", "IsActive", "Notation"}),
)  # fmt: skip
def currencies(call: Call) -> list[Row]:
    """The currencies in use."""
    rows: list[Row] = [{"Code": code, "IsActive": True, "Notation": sign} for code, sign in CURRENCIES.items()]
    return [
        row
        for row in rows
        if call.query.get("currencyCode") in {None, row["Code"]} and call.query.get("isActive") in {None, True}
    ]


CURRENCIES = {"NOK": "kr", "SEK": "kr", "DKK": "kr", "EUR": "€", "USD": "$", "GBP": "£"}


@endpoint("GET", "/FinancialSettings", "CommonServices")
def financial_settings(call: Call) -> Answer:
    """Conversion date and the like."""
    books = call.books
    gains, losses = books.by_code("GeneralLedgerAccount", "8060"), books.by_code("GeneralLedgerAccount", "8160")
    body: Row = {
        "ConversionDate": books.company.conversion_date,
        "CurrencyCode": "NOK",
        "FinancialYearEndMonth": "December",
        "LastChangedDateTimeOffset": books.company.changed_at,
        "UseTrustAccountManagement": False,
    }
    if gains and losses:
        body |= {"CurrencyGainsAccountId": gains.pk, "CurrencyGainsAccountNo": 8060}
        body |= {"CurrencyLossAccountId": losses.pk, "CurrencyLossAccountNo": 8160}
    return Answer(200, body)


@endpoint("GET", "/LockDateSettings", "CommonServices")
def lock_date_settings(call: Call) -> Answer:
    """No entries on or before this date; a company without one shows the day before its conversion date."""
    company = call.books.company
    return Answer(200, {"LockDate": company.lock_date or company.conversion_date - dt.timedelta(days=1)})


@endpoint("GET", "/OrganizationSettings", "CommonServices")
def organization_settings(call: Call) -> Answer:
    """Who the company is."""
    company = call.books.company
    address = {"AddressLine1": "Storgata 1", "City": "Oslo", "CountryCode": "NO", "ZipCode": "0155"}
    return Answer(
        200,
        {
            "Id": company.client_id,
            "Name": company.name,
            "LegalName": company.name,
            "OrganizationNumber": company.organisation_number or None,
            "EmailAddress": "post@example.com",
            "IsAgricultureClient": False,
            "InvoiceInboxEhf": True,
            "InvoiceInboxEmail": False,
            "InvoiceInboxEmailAddress": None,
            "LastChangedDateTimeOffset": company.changed_at,
            "MailAddress": address,
            "DeliveryAddress": address,
            "MailAddressIsDeliveryAddress": True,
            "PhoneNumber": "+47 22 00 00 00",
            "WebsiteUrl": "https://www.example.com",
        },
    )
