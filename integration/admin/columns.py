"""Columns that depend on who looks."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest

from integration.admin.base import own_company_ids


def sees_several(request: HttpRequest) -> bool:
    """Whether this person works with more than one company."""
    ids = own_company_ids(request)
    return ids is None or len(ids) > 1


def company_for_several(request: HttpRequest, columns: Iterable[Any]) -> tuple[Any, ...]:
    """The company as the last column, for those who see more than one."""
    return (*columns, "company") if sees_several(request) else tuple(columns)
