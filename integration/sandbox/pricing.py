"""What a sales order costs: accounts, VAT, inherited values, sums (reference §8.3, §8.4, §13; rows 35, 36, 39, 44)."""

from decimal import Decimal
from typing import Any

from integration.sandbox.books import Books
from integration.sandbox.errors import invalid
from integration.sandbox.models import OrderState, Record, SalesOrder
from integration.sandbox.wire import kroner, ore

LARGEST_AMOUNT = Decimal(10) ** 13
INHERITED_BY_LINES = ("DepartmentId", "LocationId", "ProjectId", "Dim1Id", "Dim2Id", "Dim3Id")


def account_of(books: Books, product: Record | None, *, standard: bool) -> Record | None:
    """Product, else its group, else the company's sales settings: 3000 with VAT, 3100 without (row 35)."""
    member = "StandardSalesAccountId" if standard else "OptionalSalesAccountId"
    group = books.record("ProductGroup", product.data.get("ProductGroupId")) if product else None
    for holder in (product, group):
        if holder is not None and holder.data.get(member):
            return books.record("GeneralLedgerAccount", holder.data[member])
    return books.by_code("GeneralLedgerAccount", "3000" if standard else "3100")


def from_group(books: Books, product: Record, member: str) -> Any:
    """A price, cost or unit of the product, else of its group (reference §13)."""
    value = product.data.get(member)
    group = books.record("ProductGroup", product.data.get("ProductGroupId"))
    return group.data.get(member) if value is None and group else value


def reserved(books: Books, product: Record) -> Decimal:
    """How much of a product confirmed orders reserve (row 36)."""
    orders = SalesOrder.objects.filter(
        company=books.company, state__in=[OrderState.OPEN, OrderState.SENDING], status="Confirmed"
    )
    return sum(
        (Decimal(line.get("Quantity") or 0) for o in orders for line in o.lines if line.get("ProductId") == product.pk),
        Decimal(0),
    )


def inherited(books: Books, order: SalesOrder) -> dict[str, Any]:
    """The header as Go's own pages show it: project, then customer, then the company's defaults (row 44)."""
    header = dict(order.header)
    customer = order.customer.data
    project_record = books.record("Project", header.get("ProjectId"))
    project = project_record.data if project_record else {}
    defaults = {
        "CurrencyCode": customer.get("CurrencyCode") or "NOK",
        "PaymentTermId": project.get("PaymentTermId")
        or customer.get("PaymentTermId")
        or default_id(books, "PaymentTerm"),
        "DeliveryTermId": project.get("DeliveryTermId")
        or customer.get("DeliveryTermId")
        or default_id(books, "DeliveryTerm"),
        "BrandingThemeId": project.get("BrandingThemeId")
        or customer.get("InvoiceBrandingThemeId")
        or default_id(books, "BrandingTheme"),
        "DepartmentId": project.get("DepartmentId") or customer.get("DepartmentId"),
        "ContractNo": project.get("ContractNo"),
        "PurchaseOrderReference": project.get("PurchaseOrderNo"),
        "CustomerReferenceContactPersonId": project.get("ContactPersonId"),
    }
    for name, value in defaults.items():
        if header.get(name) is None and value is not None:
            header[name] = value
    return header


def default_id(books: Books, kind: str) -> int | None:
    """The id of the entry marked as default."""
    record = books.default(kind)
    return record.pk if record else None


def inherited_line(books: Books, order: SalesOrder, line: dict[str, Any]) -> dict[str, Any]:
    """A line with the dimensions of its header and the customer's allowance; -1 stays "deliberately none"."""
    header = inherited(books, order)
    taken = {name: header[name] for name in INHERITED_BY_LINES if header.get(name) and line.get(name) is None}
    return {**line, **taken, "Allowance": allowance_of(order, line)}


def allowance_of(order: SalesOrder, line: dict[str, Any]) -> Decimal:
    """Percent; unset, the customer's."""
    own = line.get("Allowance")
    return Decimal(own if own is not None else order.customer.data.get("Allowance") or 0)


def price_order(books: Books, order: SalesOrder) -> None:
    """Work out every line and the sums; VAT comes from the account, never from the line (reference §8.4)."""
    vat_by_rate: dict[Decimal, int] = {}
    for line in order.lines:
        price_line(books, order, line)
        rate = Decimal(line["VatRate"] or 0)
        vat_by_rate[rate] = vat_by_rate.get(rate, 0) + ore(Decimal(line["NetAmount"]))
    order.net_ore = sum(ore(Decimal(line["NetAmount"])) for line in order.lines)
    if books.switches["vat_rounding"] == "line":
        vat = sum(ore(Decimal(line["VatAmount"])) for line in order.lines)
    else:
        vat = sum(ore(kroner(net) * rate) for rate, net in vat_by_rate.items())
    order.total_ore = order.net_ore + vat


def price_line(books: Books, order: SalesOrder, line: dict[str, Any]) -> None:
    """Net, VAT and total of one line, written into it; text lines cost nothing."""
    product = books.record("Product", line.get("ProductId"))
    zero = {"NetAmount": Decimal(0), "VatAmount": Decimal(0), "TotalAmount": Decimal(0)}
    no_vat = {"VatCode": None, "VatId": None, "VatRate": None, "AccountId": None}
    line |= zero | no_vat
    if line["LineType"] not in {"Normal", "InvoiceFee"}:
        return
    standard = line.get("UseStandardSalesAccount")
    if standard is None:
        standard = not order.customer.data.get("IsVatFree", False)
    account = account_of(books, product, standard=standard)
    vat_code = books.record("VatCode", account.data.get("VatCodeId")) if account else None
    rate = Decimal(vat_code.data["Rate"]) if vat_code else Decimal(0)
    discount = 1 - allowance_of(order, line) / 100
    net = Decimal(line.get("Quantity") or 0) * Decimal(line.get("ProductUnitPrice") or 0) * discount
    if abs(net) >= LARGEST_AMOUNT:
        raise invalid("SalesOrder", "The amount of a line is too large.")
    net = kroner(ore(net))
    vat = kroner(ore(net * rate))
    line |= {
        "NetAmount": net,
        "VatAmount": vat,
        "TotalAmount": net + vat,
        "VatCode": vat_code.code if vat_code else None,
        "VatId": vat_code.pk if vat_code else None,
        "VatRate": rate,
        "AccountId": account.pk if account else None,
    }
