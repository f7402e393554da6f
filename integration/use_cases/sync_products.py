"""Products: know what Go has (one changed-since read per cycle), find by code, create where the company allows it."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from integration.clients.poweroffice.client import PowerOfficeClient
from integration.enums import AttemptOutcome, Operation, Resource
from integration.errors import InDoubt, PermanentError, RemoteError, TemporaryError
from integration.models import GoCompany, Product, ProductInGo, SyncAttempt, SyncRun
from integration.terms import ProductDraft, RemoteProduct
from integration.use_cases.attempts import close_attempt, error_code, open_attempt
from integration.use_cases.sync_customers import CHUNK, advance, watermark


def store_products(company: GoCompany, products: list[RemoteProduct]) -> None:
    """Remember Go's products as they were just seen."""
    ProductInGo.objects.bulk_create(
        [
            ProductInGo(
                company=company,
                go_product_id=product.id,
                code=product.code[:100],
                name=product.name[:400],
                price=product.price,
                sales_account_id=product.sales_account_id,
                is_archived=product.is_archived,
            )
            for product in {product.id: product for product in products}.values()
        ],
        batch_size=CHUNK,
        update_conflicts=True,
        unique_fields=["company", "go_product_id"],
        update_fields=["code", "name", "price", "sales_account_id", "is_archived"],
    )


def read_products(company: GoCompany, client: PowerOfficeClient, *, began: datetime) -> int:
    """One changed-since read; returns how many products had news. `began`: now."""
    products = list(client.products(changed_since=watermark(company, Resource.PRODUCTS)))
    with transaction.atomic():
        store_products(company, products)
        advance(company, Resource.PRODUCTS, (product.last_changed_at for product in products), began=began)
    return len(products)


def products_in_go(company: GoCompany, codes: Iterable[str]) -> dict[str, int | str]:
    """Per code: Go's id of the product, or in words why there is none to use. Unknown codes are left out."""
    found: dict[str, list[int]] = {}
    rows = ProductInGo.objects.filter(company=company, code__in=set(codes))
    for code, go_product_id, is_archived in rows.values_list("code", "go_product_id", "is_archived"):
        alive = found.setdefault(code, [])
        if not is_archived:
            alive.append(go_product_id)
    answer: dict[str, int | str] = {}
    for code, alive in found.items():
        if len(alive) == 1:
            answer[code] = alive[0]
        elif alive:
            answer[code] = f"PowerOffice Go has {len(alive)} products with the code {code}. Archive all but one there."
        else:
            answer[code] = f"Product {code} is archived in PowerOffice Go. Bring it back there, or use another one."
    return answer


def recheck_products(company: GoCompany, client: PowerOfficeClient, codes: Iterable[str]) -> None:
    """Go said that something does not exist: see what it really has under these codes."""
    wanted = sorted(set(codes))
    if not wanted:
        return
    seen = list(client.products(codes=wanted))
    with transaction.atomic():
        ProductInGo.objects.filter(company=company, code__in=wanted).delete()
        store_products(company, seen)


def _may_be_on_its_way(product: Product, now: datetime) -> bool:
    """Whether an earlier create may have reached Go unnoticed, too recently for a look-up to prove its absence."""
    recently = now - timedelta(seconds=settings.GO_ABSENCE_SECONDS)
    return (
        SyncAttempt.objects.filter(product=product, operation=Operation.CREATE_PRODUCT)
        .filter(Q(ended_at__isnull=True) | Q(outcome=AttemptOutcome.IN_DOUBT, ended_at__gt=recently))
        .exists()
    )


def create_product(
    product: Product, client: PowerOfficeClient, *, clock: Callable[[], datetime], run: SyncRun | None = None
) -> int | str:
    """Go's id of a product made now, or in words why it cannot be made.

    Looks by code first: a create whose outcome was unclear shows itself there, and is not made again.
    Raises TemporaryError, InDoubt, ConfigurationError.
    """
    company = product.company
    if not company.create_missing_products:
        return f"PowerOffice Go has no product {product.code}. Make it there, or allow {company} to create products."
    if product.sales_account is None:
        return f"Product {product.code} has no sales account, so PowerOffice Go cannot be told its VAT. Fill it in."
    if _may_be_on_its_way(product, clock()):
        # Until absence is proof, all statements with this product wait, and none of them asks.
        raise TemporaryError(
            f"Product {product.code} may be on its way into PowerOffice Go; we look again in a minute.",
            retry_after=settings.GO_ABSENCE_SECONDS,
        )
    there = list(client.products(codes=[product.code]))
    store_products(company, there)
    known = products_in_go(company, [product.code]).get(product.code)
    if known is not None:
        return known
    account = next(iter(client.accounts(numbers=[product.sales_account])), None)
    if account is None:
        return (
            f"Product {product.code} names sales account {product.sales_account}, which PowerOffice Go does not have."
        )
    attempt = open_attempt(company=company, operation=Operation.CREATE_PRODUCT, now=clock(), run=run, product=product)
    try:
        made = client.create_product(
            ProductDraft(
                code=product.code,
                name=product.name,
                unit=product.unit,
                price=product.price,
                cost=product.cost,
                gtin=product.gtin,
                group_code=product.group,
                sales_account_id=account.id,
            )
        )
    except RemoteError as error:
        refused = isinstance(error, PermanentError)
        doubt = isinstance(error, InDoubt)
        close_attempt(
            attempt,
            AttemptOutcome.REFUSED if refused else AttemptOutcome.IN_DOUBT if doubt else AttemptOutcome.LATER,
            now=clock(),
            message=error.message,
            error_code=error_code(error),
            evidence=error.evidence,
        )
        if refused:
            # Somebody may have been faster: then it is there now.
            store_products(company, list(client.products(codes=[product.code])))
            known = products_in_go(company, [product.code]).get(product.code)
            if isinstance(known, int):
                return known
            return f"PowerOffice Go refused product {product.code}: {error.evidence.detail or error.message}"
        raise
    with transaction.atomic():
        store_products(company, [made])
        Product.objects.filter(pk=product.pk).update(go_product_id=made.id)
        close_attempt(attempt, AttemptOutcome.DONE, now=clock(), message=f"Product {made.code} made in PowerOffice Go.")
    return made.id
