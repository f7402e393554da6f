"""Counting without counting: a list of a million rows opens as fast as one of ten (libraries.md 4.3 rule 2)."""

from functools import cached_property
from typing import Any, Final

from django.core.paginator import Paginator
from django.db import connections, models

from integration.admin.display import number

CAP = 10_000
"""Pages end after so many rows; a filtered list with more says "10 000+". A database walks to a page row by row."""


ROWS_OF: Final = {
    "postgresql": "SELECT reltuples::bigint FROM pg_class WHERE oid = '{table}'::regclass",
    "sqlite": "SELECT max(rowid) FROM {table}",
}
"""PostgreSQL keeps statistics; SQLite's highest key comes close."""


def estimated_rows(model: type[models.Model], using: str) -> int:
    """About how many rows a table has; 0 or less when that is not known."""
    connection = connections[using]
    with connection.cursor() as cursor:
        cursor.execute(ROWS_OF[connection.vendor].format(table=connection.ops.quote_name(model._meta.db_table)))
        [estimate] = cursor.fetchone()
    return int(estimate or 0)


class EstimatingPaginator(Paginator[Any]):
    """Estimates the whole table, and counts a filtered list only up to the cap."""

    template_name = "admin/pagination_estimated.html"
    object_list: models.QuerySet[Any]

    @property
    def count_text(self) -> str:
        """The count as it is said below the list: "312", "10 000+", "about 1 003 112"."""
        return f"{'about ' if self.is_estimate else ''}{number(self.count)}{'+' if self.is_capped else ''}"

    @cached_property
    def is_estimate(self) -> bool:
        """Whether `count` is about right instead of exact."""
        return self._estimate > CAP

    @cached_property
    def is_capped(self) -> bool:
        """Whether there are more rows than `count` says."""
        return not self.is_estimate and self._capped > CAP

    @cached_property
    def count(self) -> int:
        return self._estimate if self.is_estimate else min(self._capped, CAP)

    @cached_property
    def num_pages(self) -> int:
        """Nobody turns two hundred pages: who looks for the rest searches, filters or sorts the other way."""
        return min(super().num_pages, max(1, CAP // self.per_page))

    @property
    def pages_end(self) -> str:
        """What is said where there are more rows than pages: "Pages end after 10 000 rows. …"; else ""."""
        if not (self.is_estimate or self.is_capped):
            return ""
        return f"Pages end after {number(CAP)} rows. Search, filter or sort to see others."

    @cached_property
    def _estimate(self) -> int:
        query = getattr(self.object_list, "query", None)
        if query is None or query.where or query.is_sliced or query.distinct:
            return 0
        return estimated_rows(self.object_list.model, self.object_list.db)

    @cached_property
    def _capped(self) -> int:
        if not isinstance(self.object_list, models.QuerySet):
            return len(self.object_list)
        rows = self.object_list if self.object_list.query.is_sliced else self.object_list.order_by()[: CAP + 1]
        return rows.count()
