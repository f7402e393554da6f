"""The three sheets that people import and export: their columns, the words for them, and what may stand in them.

A column's key is the field it fills. Headings are found whatever the case, blanks, dots and dashes in them.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Final

from integration.decisions import spreadsheet_cells as cells
from integration.decisions.sales_orders import MAX_REFERENCE_TEXT, MAX_TEXT
from integration.decisions.spreadsheet_cells import Cell, Reader
from integration.enums import InvoiceDelivery, StatementKind, StatementSource


@dataclass(frozen=True)
class Column:
    """A column. `read` None: only for people, its content is not taken in. `per_line`: differs from line to line."""

    key: str
    label: str
    read: Reader | None
    synonyms: str = ""
    help: str = ""
    example: Cell = None
    per_line: bool = False


@dataclass(frozen=True)
class Sheet:
    """A kind of spreadsheet. `needed` are the columns that must be there, `thing` what a row or group of rows is."""

    name: str
    thing: str
    columns: tuple[Column, ...]
    needed: tuple[str, ...]
    more_examples: tuple[dict[str, Cell], ...] = ()

    @cached_property
    def by_key(self) -> dict[str, Column]:
        return {column.key: column for column in self.columns}

    def column(self, key: str) -> Column:
        return self.by_key[key]


def heading_key(heading: str) -> str:
    """A heading reduced to what tells it from others: letters and digits, small."""
    return "".join(sign for sign in heading.casefold() if sign.isalnum())


def headings(sheet: Sheet) -> dict[str, Column]:
    """Every word for every column of a sheet."""
    return {
        heading_key(word): column
        for column in sheet.columns
        for word in (column.label, column.key, *column.synonyms.split(","))
        if word.strip()
    }


_COMPANY: Final = Column(
    "company",
    "Company",
    cells.text(200),
    "selskap,firma,klient,go company,regnskap",
    "Name or organisation number of one of your companies. Not needed when you choose the company on the page.",
)
_to = dict.fromkeys

_DELIVERIES: Final = cells.choice(
    {
        **_to(("default", "standard", "aspowerofficegodecides"), InvoiceDelivery.DEFAULT),
        **_to(("email", "epost", "mail", "pdf", "pdfbyemail", "pdfpåepost"), InvoiceDelivery.EMAIL),
        **_to(("ehf",), InvoiceDelivery.EHF),
        **_to(("print", "papir", "post", "brev"), InvoiceDelivery.PRINT),
    },
    "EHF, e-mail, print or default",
)
_PERSONS: Final = cells.choice(
    {
        **_to(("person", "privat", "privatperson", "private", "privateperson", "ja", "yes", "true", "1", "x"), True),
        **_to(("company", "bedrift", "firma", "selskap", "organisasjon", "nei", "no", "false", "0"), False),
    },
    "person or company",
)
_KINDS: Final = cells.choice(
    {
        **_to(("invoice", "faktura"), StatementKind.INVOICE),
        **_to(("creditnote", "kreditnota", "kredit", "credit"), StatementKind.CREDIT_NOTE),
    },
    "invoice or credit note (faktura, kreditnota)",
)
_SOURCES: Final = cells.choice(
    {
        word: source
        for source in StatementSource
        for word in {source.value.casefold(), source.label.casefold().replace(" ", "")}
    },
    "Spreadsheet, or leave it empty",
)
_UNITS: Final = {
    **_to(("stk", "styk", "stykk", "piece", "pcs", "ea", "each"), "EA"),
    **_to(("time", "timer", "hour", "hours", "hur", "h"), "HUR"),
    **_to(("dag", "dager", "døgn", "day", "days"), "DAY"),
    **_to(("mnd", "måned", "måneder", "month", "months", "mon"), "MON"),
    **_to(("kg", "kilo", "kgm"), "KGM"),
    **_to(("l", "liter", "ltr"), "LTR"),
    **_to(("m", "meter", "mtr"), "MTR"),
}


def unit(cell: Cell) -> str:
    """Reads a unit: the usual Norwegian words become UN/ECE codes, other codes stay."""
    word: str = cells.text(10)(cell)
    return _UNITS.get(word.casefold().rstrip("."), word.upper())


def product_code(cell: Cell) -> str:
    """Reads a product code: no comma, Go lists codes with commas between."""
    code: str = cells.text(100)(cell)
    if "," in code:
        raise cells.CellProblem("has a comma, which PowerOffice Go does not take in a code")
    return code


CUSTOMERS: Final = Sheet(
    name="customers",
    thing="customer",
    needed=("name",),
    columns=(
        _COMPANY,
        Column(
            "number",
            "Customer number",
            cells.whole(1, 9_999_999_999),
            "kundenr,kundenummer,knr,customer no,kunde nr,nummer",
            "Finds the customer that is to be changed. Left empty for a new one, PowerOffice Go chooses a number.",
            "10001",
        ),
        Column(
            "source_id",
            "Customer id",
            cells.text(100),
            "id,kundeid,ekstern id,external id,id in the source,medlemsnummer,medlemsnr",
            "The customer's id in your own system, if you have one.",
            "M-1001",
        ),
        Column(
            "name",
            "Name",
            cells.text(200),
            "navn,kundenavn,firmanavn,customer name,customer",
            "Needed, unless first and last name are there.",
            "Fjellheim Hytteutleie AS",
        ),
        Column(
            "is_person",
            "Person or company",
            _PERSONS,
            "type,kundetype,privatperson,private person,privat,er person",
            "person or company.",
            "company",
        ),
        Column("first_name", "First name", cells.text(100), "fornavn", "For a private person."),
        Column("last_name", "Last name", cells.text(100), "etternavn", "For a private person."),
        Column(
            "organisation_number",
            "Organisation number",
            cells.organisation_number,
            "orgnr,org nr,org,organisasjonsnummer,organisasjonsnr,organization number,foretaksnummer",
            "Nine digits; the check digit is checked.",
            "988077917",
        ),
        Column("email", "E-mail", cells.email, "epost,e post,epostadresse,mail,email address", "", "post@fjellheim.no"),
        Column(
            "invoice_email",
            "E-mail for invoices",
            cells.email,
            "fakturaepost,faktura e post,epost faktura,epost for faktura,invoice email",
            "If invoices go to another address.",
            "faktura@fjellheim.no",
        ),
        Column("phone", "Phone", cells.text(30), "telefon,tlf,mobil,mobile,telefonnummer,telephone", "", "22 33 44 55"),
        Column(
            "address_line1",
            "Address",
            cells.text(200),
            "adresse,adresse1,adresselinje1,gateadresse,address 1,street",
            "",
            "Fjellveien 12",
        ),
        Column("address_line2", "Address, second line", cells.text(200), "adresse2,adresselinje2,co,address 2"),
        Column("zip_code", "Post code", cells.text(50), "postnr,postnummer,zip,postal code", "", "0785"),
        Column("city", "City", cells.text(100), "poststed,sted,by,town", "", "Oslo"),
        Column("country", "Country", cells.country, "land,landkode,country code", "Two letters.", "NO"),
        Column(
            "delivery",
            "Invoice delivery",
            _DELIVERIES,
            "leveringsmåte,fakturalevering,utsendelse,distribusjon,delivery",
            "EHF, e-mail, print or default.",
            "EHF",
        ),
        Column(
            "payment_days",
            "Payment days",
            cells.whole(0, 365),
            "betalingsfrist,kredittid,kredittdager,betalingsbetingelser,betalingsdager,payment terms",
            "Days from invoice to due date.",
            "14",
        ),
        Column("send_reminders", "Send reminders", cells.yes_no, "purring,purres,reminders", "yes or no.", "yes"),
        Column(
            "transfer_to_debt_collection",
            "Debt collection",
            cells.yes_no,
            "inkasso,transfer to debt collection",
            "yes or no.",
            "yes",
        ),
        Column("is_active", "Active", cells.yes_no, "aktiv", "yes or no.", "yes"),
    ),
)

PRODUCTS: Final = Sheet(
    name="products",
    thing="product",
    needed=("code",),
    columns=(
        _COMPANY,
        Column(
            "code",
            "Product code",
            product_code,
            "kode,produktkode,produktnr,produktnummer,varenr,varenummer,product number,product no,sku,artikkelnr",
            "Needed. Finds the product that is to be changed.",
            "HYTTE",
        ),
        Column(
            "name",
            "Name",
            cells.text(400),
            "navn,produktnavn,varenavn,product name,beskrivelse,description,product",
            "Needed for a new product.",
            "Hytte, per døgn",
        ),
        Column("unit", "Unit", unit, "enhet", "EA piece, HUR hour, DAY, MON month, KGM, LTR.", "DAY"),
        Column(
            "price",
            "Price excl. VAT",
            cells.number(),
            "pris,utsalgspris,salgspris,pris eks mva,pris ekskl mva,price,enhetspris,unit price",
            "Kroner.",
            Decimal("1250.00"),
        ),
        Column(
            "cost",
            "Cost excl. VAT",
            cells.number(),
            "kost,kostpris,innpris,innkjøpspris,cost,cost price",
            "Kroner.",
            Decimal("400.00"),
        ),
        Column(
            "vat_rate",
            "VAT rate",
            cells.vat_rate,
            "mva,mva sats,mva %,mvaprosent,moms,vat,vat %,avgift,expected vat rate",
            "25 %, 25 and 0,25 are the same.",
            "12 %",
        ),
        Column("gtin", "GTIN", cells.gtin, "ean,strekkode,barcode", "With check digit."),
        Column(
            "group",
            "Product group",
            cells.text(100),
            "gruppe,produktgruppe,varegruppe,product group code",
            "The group's code in PowerOffice Go.",
        ),
        Column(
            "sales_account",
            "Sales account",
            cells.whole(1000, 99_999_999),
            "konto,salgskonto,inntektskonto,account",
            "For example 3000.",
            "3000",
        ),
        Column("is_active", "Active", cells.yes_no, "aktiv", "yes or no.", "yes"),
    ),
)

STATEMENTS: Final = Sheet(
    name="statements",
    thing="statement",
    needed=("source_id",),
    columns=(
        _COMPANY,
        Column(
            "source",
            "Source",
            _SOURCES,
            "kilde",
            "Leave it empty. Exports fill it in, so that an exported statement is known again.",
        ),
        Column(
            "source_id",
            "Statement id",
            cells.text(100),
            "ordrenr,grunnlagsnr,fakturanr,id,ordre,ordrenummer,grunnlag,fakturagrunnlag,fakturanummer,faktura,bilagsnr,"
            "statement,statement number,statement no,order number,order no,invoice id,id in the source",
            "Needed on every row: rows with the same id are the lines of one statement. Never used twice.",
            "F-2026-001",
        ),
        Column("kind", "Kind", _KINDS, "type,art", "invoice or credit note. Empty means invoice.", "invoice"),
        Column(
            "customer_number",
            "Customer number",
            cells.whole(1, 9_999_999_999),
            "kundenr,kundenummer,knr,customer no,kunde nr,kunde",
            "Or customer id, or organisation number: one of them is needed.",
            "10001",
        ),
        Column(
            "customer_id",
            "Customer id",
            cells.text(100),
            "kundeid,kunde id,medlemsnummer,medlemsnr",
            "The customer's id in your own system.",
        ),
        Column(
            "customer_organisation_number",
            "Organisation number",
            cells.organisation_number,
            "orgnr,org nr,organisasjonsnummer,organisasjonsnr",
            "The customer's.",
        ),
        Column(
            "customer_name",
            "Customer name",
            cells.text(200),
            "kundenavn,navn,name,customer",
            "Only for people: you are told if it is another name than the customer's.",
            "Fjellheim Hytteutleie AS",
        ),
        Column(
            "statement_date",
            "Date",
            cells.day,
            "dato,fakturadato,ordredato,invoice date,statement date,order date",
            "Needed, like 01.02.2026.",
            date(2026, 2, 1),
        ),
        Column("delivery_date", "Delivery date", cells.day, "leveringsdato,levert", "Like 01.02.2026."),
        Column(
            "payment_date",
            "Send on",
            cells.day,
            "sendes,sendedato,payment date,trekkdato,betalingsdato",
            "The day the statement goes to PowerOffice Go by itself. Empty: somebody presses Push drafts.",
        ),
        Column(
            "payment_days",
            "Payment days",
            cells.whole(0, 365),
            "betalingsfrist,kredittid,kredittdager,betalingsdager,payment terms",
            "Days from invoice to due date.",
            "14",
        ),
        Column("currency", "Currency", cells.currency, "valuta,valutakode", "Empty means NOK.", "NOK"),
        Column(
            "customer_reference",
            "Your reference",
            cells.text(MAX_REFERENCE_TEXT),
            "deres ref,deres referanse,kundens referanse,referanse,customer reference,ref",
            "",
            "Kari Nordmann",
        ),
        Column(
            "purchase_order_reference",
            "Purchase order",
            cells.text(MAX_REFERENCE_TEXT),
            "innkjøpsordre,bestillingsnr,bestillingsnummer,po,rekvisisjon,purchase order reference",
        ),
        Column(
            "contract_number",
            "Contract",
            cells.text(MAX_REFERENCE_TEXT),
            "kontrakt,kontraktnr,kontraktsnummer,avtale,contract number",
        ),
        Column(
            "stated_total",
            "Total",
            cells.number(decimals=2),
            "sum,sum inkl mva,totalt,totalbeløp,total inkl mva,beløp inkl mva,total incl VAT,fakturabeløp",
            "What the whole statement should sum to incl. VAT, as a check. May be left out.",
            Decimal("2800.00"),
        ),
        Column(
            "credits",
            "Credits statement",
            cells.text(100),
            "krediterer,kreditert faktura,credits",
            "For a credit note: the id of the statement it credits.",
        ),
        Column(
            "credit_reason",
            "Credit reason",
            cells.text(300),
            "kreditårsak,årsak,reason",
            "For a credit note that credits no statement here: why.",
        ),
        Column(
            "line_number",
            "Line number",
            cells.whole(1, 1_000_000),
            "linje,linjenr,linjenummer,line,line no,no",
            "May be left out: then the rows are numbered as they stand.",
            "1",
            per_line=True,
        ),
        Column(
            "product_code",
            "Product code",
            product_code,
            "produkt,produktkode,produktnr,produktnummer,varenr,varenummer,vare,product,product number,artikkelnr,sku",
            "A row without product code, quantity and price is a line of text.",
            "HYTTE",
            per_line=True,
        ),
        Column(
            "description",
            "Description",
            cells.text(MAX_TEXT, lines=True),
            "beskrivelse,tekst,linjetekst,varetekst,text",
            f"At most {MAX_TEXT} characters. Empty means the product's name.",
            "Hytte 4, 2 netter",
            per_line=True,
        ),
        Column(
            "quantity",
            "Quantity",
            cells.number(),
            "antall,ant,mengde,qty",
            "Needed with a product. Negative takes back.",
            "2",
            per_line=True,
        ),
        Column(
            "unit_price",
            "Unit price excl. VAT",
            cells.number(digits=16),
            "pris,enhetspris,stykkpris,pris eks mva,pris ekskl mva,price,unit price,á pris",
            "Empty means the product's price.",
            Decimal("1250.00"),
            per_line=True,
        ),
        Column(
            "discount_percent",
            "Discount %",
            cells.percent,
            "rabatt,rabatt %,rabattprosent,discount",
            "10 % and 10 are the same.",
            per_line=True,
        ),
        Column(
            "vat_rate",
            "VAT rate",
            cells.vat_rate,
            "mva,mva sats,mva %,mvaprosent,moms,vat,vat %,avgift",
            "25 %, 25 and 0,25 are the same. Empty means the product's rate.",
            "12 %",
            per_line=True,
        ),
        Column("department", "Department", cells.text(50), "avdeling,department code", "Its code.", per_line=True),
        Column("project", "Project", cells.text(50), "prosjekt,project code", "Its code.", per_line=True),
        Column("accrual_from", "Accrual from", cells.day, "periodisering fra,periode fra,fra dato", per_line=True),
        Column("accrual_to", "Accrual to", cells.day, "periodisering til,periode til,til dato", per_line=True),
        Column("status", "Status", None, "", "Only in exports."),
        Column("invoice_number", "Invoice number", None, "", "Only in exports."),
        Column("line_net", "Line net", None, "netto,linjesum", "Only in exports: net of the line.", per_line=True),
        Column("line_vat", "Line VAT", None, "", "Only in exports: VAT of the line.", per_line=True),
        Column("line_total", "Line total", None, "brutto", "Only in exports: total of the line.", per_line=True),
    ),
    more_examples=(
        {
            "source_id": "F-2026-001",
            "line_number": "2",
            "description": "Takk for besøket (a line of text: neither product nor quantity)",
        },
    ),
)

SHEETS: Final = {sheet.name: sheet for sheet in (CUSTOMERS, PRODUCTS, STATEMENTS)}
