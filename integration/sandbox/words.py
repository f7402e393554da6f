"""The objects PowerOffice Go speaks of, member by member (the OpenAPI contract, and reference §8, §12 and §13)."""

from decimal import Decimal

from integration.sandbox.fields import Field, Table, names

UNITS = names(
    "BX MTR KMT KGM EA LTR HUR DAY MTK MTQ TNE MON ANN QAN NL XRO XBA XPL XPC PR XCI XBG SET XTY XOF FTK KWH "
    "MWH LBR CMT DMT LM XPK GRM HGM XFL XBE E54 MMT DAA H18 MLT HLT DLT AK XCR E14 MJ J57 XJG XCT XSA XTU WEE "
    "XCA XCN NAR M4 XVQ P1 MFU KMK LM3 FOT FM3 E34 E35"
)
VAT_RETURN = names(
    "None Adjustment LossesOnClaims ReversalOfInputValueAddedTax Withdrawals "
    "AdjustmentVatCompensationRealProperty PurchasesEligibleForCompensation"
)
VOUCHER_TYPES = names(
    "Unknown IncomingInvoice IncomingCreditNote OutgoingInvoice OutgoingCreditNote IncomingBankRemittance "
    "IncomingOcrGiro ManualJournal Expense CashJournal IncomingPayments OutgoingPayments YearEndJournal "
    "BankJournal VatReturns PayrollJournal OutgoingPaymentReminder OutgoingNoticeOfDebtCollection "
    "OutgoingPaymentDemand OutgoingWarrantOfExecution CorrectionVoucher ReversalVoucher DepreciationJournal "
    "TravelExpense Settlement NegativeSettlement SystemGeneratedDocumentationVoucher"
)
DELIVERY_TYPES = ("PdfByEmail", "Print", "EHF", "AvtaleGiro", "External", "Efaktura", "Factoring")
SEND_TYPES = ("PdfByEmail", "PdfPrintForDownload", "Auto", "EHF", "Efaktura", "AvtaleGiro")
ORDER_STATUSES = ("Draft", "Confirmed")
LINE_TYPES = ("Normal", "Text", "Summary", "InvoiceFee", "TotalHours")
PRODUCT_TYPES = ("Product", "Service")
PAPER = ("PdfByEmail", "Print")

TEXT, WHOLE, NUMBER, YES, NO = (
    Field(),
    Field("whole"),
    Field("number"),
    Field("yes", default=True),
    Field("yes", default=False),
)
ALLOWANCE = Field("number", low=Decimal(-1000), high=Decimal(100))


def pair(member: str, register: str, other: str, names: str = "code", kind: str = "text") -> Table:
    """An id member and its other name, which cannot be patched: `DepartmentId` and `DepartmentCode`."""
    return {
        member: Field("whole", register=register),
        other: Field(kind, "rc", register=register, stands_for=member, names=names),
    }


DIMENSIONS: Table = {
    **pair("DepartmentId", "Department", "DepartmentCode"),
    **pair("LocationId", "Location", "LocationCode"),
    **pair("ProjectId", "Project", "ProjectCode"),
    **pair("Dim1Id", "CustomDimension", "Dim1Code"),
    **pair("Dim2Id", "CustomDimension", "Dim2Code"),
    **pair("Dim3Id", "CustomDimension", "Dim3Code"),
}

CUSTOMER: Table = {
    "Allowance": ALLOWANCE,
    "BillableRate": NUMBER,
    "ContactGroupIds": Field("wholes", register="ContactGroup"),
    "CurrencyCode": Field(length=3),
    "CustomerSince": Field("date"),
    "DateOfBirth": Field("date"),
    **pair("DeliveryTermId", "DeliveryTerm", "DeliveryTerm", "Name"),
    **pair("DepartmentId", "Department", "DepartmentCode"),
    "DoNotAddLatePaymentFees": NO,
    "DoNotAddLatePaymentInterest": NO,
    "DoNotAutomatePaymentNotifications": NO,
    "EmailAddress": Field(length=320),
    "ExternalImportReference": Field(length=50),
    "ExternalNumber": WHOLE,
    "FirstName": Field(length=200),
    **pair("InvoiceBrandingThemeId", "BrandingTheme", "InvoiceBrandingThemeCode"),
    "InvoiceDeliveryType": Field("choice", choices=DELIVERY_TYPES),
    "InvoiceEmailAddress": Field(length=320),
    "InvoiceEmailAddressCC": Field(length=2000),
    "IsArchived": NO,
    "IsPerson": NO,
    "IsVatFree": NO,
    "LastName": Field(length=200),
    "LegalName": Field(length=200),
    "MailAddress": Field("address"),
    "Name": Field(length=200),
    "NationalIdNumber": Field(length=20),
    "NoticeOfDebtCollectionDeliveryType": Field("choice", choices=PAPER, default="PdfByEmail"),
    "Number": WHOLE,
    "OrganizationNumber": Field(length=20),
    "PaymentReminderEmailAddress": Field(length=320),
    **pair("PaymentTermId", "PaymentTerm", "PaymentTerm", "CreditDays", "int32"),
    "PhoneNumber": Field(length=50),
    "ReminderDeliveryType": Field("choice", choices=PAPER, default="PdfByEmail"),
    **pair("SalesPersonEmployeeId", "Employee", "SalesPersonEmployeeNumber", "number", "whole"),
    "SendPaymentReminders": YES,
    "SubLedgerNumberSeriesId": Field("uuid", "c"),
    "TransferToDebtCollectionAgency": YES,
    "UseInvoiceFee": YES,
    "WebsiteUrl": Field(length=400),
}

CONTACT_PERSON: Table = {
    "EmailAddress": Field(length=320),
    "ExternalCode": Field(length=50),
    "FirstName": Field(length=200),
    "IsActive": YES,
    "IsDefault": NO,
    "LastName": Field(length=200),
    "MailAddress": Field("address"),
    "PhoneNumber": Field(length=50),
    "Title": Field(length=200),
}

PRODUCT_GROUP: Table = {
    "Code": Field(length=200),
    "Description": TEXT,
    "IsArchived": NO,
    "Name": Field(length=400),
    **pair("OptionalSalesAccountId", "GeneralLedgerAccount", "OptionalSalesAccount", "number", "whole"),
    "ProductType": Field("choice", choices=PRODUCT_TYPES, default="Product"),
    **pair("StandardSalesAccountId", "GeneralLedgerAccount", "StandardSalesAccount", "number", "whole"),
    "UnitCost": NUMBER,
    "UnitOfMeasureCode": Field("choice", choices=UNITS),
    "UnitPrice": NUMBER,
}

PRODUCT: Table = {
    **PRODUCT_GROUP,
    "Code": Field(length=100),
    "Gtin": TEXT,
    "IsStockItem": NO,
    **pair("ProductGroupId", "ProductGroup", "ProductGroupCode"),
    "StockOnHand": NUMBER,
}

DEPARTMENT: Table = {"Code": Field(length=50), "IsActive": NO, "Name": Field(length=200)}
LOCATION: Table = {"Code": Field(length=50), "IsActive": YES, "Name": Field(length=200)}
PAYMENT_TERM: Table = {
    "CreditDays": Field("int32"),
    "IsActive": YES,
    "IsDefault": NO,
    "Name": Field(length=128),
}
DELIVERY_TERM: Table = {"IsDefault": NO, "Name": Field(length=128)}
BRANDING_THEME: Table = {
    "Code": Field(modes="r"),
    "IsDefault": Field("yes", "r", default=False),
    "LanguageCode": Field(modes="r"),
    "Name": Field(modes="r"),
}
PROJECT: Table = {
    **pair("BrandingThemeId", "BrandingTheme", "BrandingThemeCode"),
    "Code": Field(length=100),
    "ContactPersonId": Field("whole", register="ContactPerson"),
    "ContractNo": TEXT,
    **pair("CustomerId", "Customer", "CustomerNo", "number", "whole"),
    **pair("DeliveryTermId", "DeliveryTerm", "DeliveryTerm", "Name"),
    **pair("DepartmentId", "Department", "DepartmentCode"),
    "EndDate": Field("date"),
    "IsActive": YES,
    "IsBillable": YES,
    "IsInternal": NO,
    **pair("LocationId", "Location", "LocationCode"),
    "Name": Field(length=200),
    **pair("ParentProjectId", "Project", "ParentProjectCode"),
    **pair("PaymentTermId", "PaymentTerm", "PaymentTerms", "CreditDays", "int32"),
    "Progress": Field("int32"),
    "ProjectBillingMethod": Field("choice", choices=("FixedPrice", "Time", "TimeAndExpenses")),
    "ProjectStatus": Field(
        "choice", choices=("Tentative", "Active", "Archived", "NotStarted", "Complete"), default="Active"
    ),
    "PurchaseOrderNo": TEXT,
    "StartDate": Field("date"),
}
ACCOUNT: Table = {
    "AccountNo": Field("whole", "rc"),
    "CurrencyCode": Field(length=3),
    **pair("DepartmentId", "Department", "DepartmentCode"),
    "GeneralLedgerAccountType": Field("choice", "r", choices=("Asset", "Liability", "Equity", "Income", "Expense")),
    "IsActive": YES,
    "IsDepartmentRequired": NO,
    "IsProjectRequired": NO,
    "IsVatCodeLocked": NO,
    "Name": Field(length=200),
    **pair("VatCodeId", "VatCode", "VatCode"),
}
VAT_CODE: Table = {
    "Code": Field(modes="r"),
    "Description": Field(modes="r"),
    "IsActive": Field("yes", "r", default=True),
    "IsCustom": Field("yes", "r", default=False),
    "Name": Field(modes="r"),
    "Rate": Field("number", "r"),
    "ValidFrom": Field("date", "r"),
    "ValidTo": Field("date", "r"),
}

ORDER: Table = {
    **pair("BrandingThemeId", "BrandingTheme", "BrandingThemeCode"),
    "ContactDeliveryAddressId": Field("whole", register="ContactDeliveryAddress"),
    "ContractNo": Field(length=400),
    "CurrencyCode": Field(length=3),
    "CurrencyExchangeRate": Field("number", low=Decimal("0.0001"), high=Decimal(10_000)),
    "CustomMatchingReference": Field(length=400),
    **pair("CustomerId", "Customer", "CustomerNo", "number", "whole"),
    "CustomerReference": Field(length=400),
    "CustomerReferenceContactPersonId": Field("whole", register="ContactPerson"),
    "DeliveryDate": Field("date"),
    **pair("DeliveryTermId", "DeliveryTerm", "DeliveryTerm", "Name"),
    **DIMENSIONS,
    "ExternalImportReference": Field(length=400),
    "ImportedOrderNo": WHOLE,
    **pair("PaymentTermId", "PaymentTerm", "PaymentTerm", "CreditDays", "int32"),
    "PurchaseOrderReference": Field(length=400),
    "RelatedInvoiceNo": WHOLE,
    "SalesOrderDate": Field("date"),
    "SalesOrderStatus": Field("choice", choices=ORDER_STATUSES),
    **pair("SalesPersonEmployeeId", "Employee", "SalesPersonEmployeeNumber", "number", "whole"),
}
LINE: Table = {
    "Accrual": Field("accrual"),
    "Allowance": ALLOWANCE,
    "Description": Field(length=4000),
    **DIMENSIONS,
    "ExternalImportReference": Field(length=400),
    "LineType": Field("choice", choices=LINE_TYPES),
    **pair("ProductId", "Product", "ProductCode"),
    "ProductUnitCost": NUMBER,
    "ProductUnitPrice": NUMBER,
    "Quantity": NUMBER,
    **pair("SellersReferenceEmployeeId", "Employee", "SellersReferenceEmployeeNo", "number", "whole"),
    "SortOrder": Field("int32"),
    "UnitOfMeasureCode": Field("choice", choices=UNITS),
    "UseStandardSalesAccount": Field("yes"),
    "VatReturnSpecification": Field("choice", choices=VAT_RETURN, default="None"),
}
SEND: Table = {
    "DeliveryType": Field("choice", choices=SEND_TYPES, default="Auto"),
    "EmailAddress": Field(length=320),
    "OverrideDueDate": Field("date"),
    "VoucherDate": Field("date"),
}
