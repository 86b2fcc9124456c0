"""Names of principals and apps: their form, and finding those that a permission names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import ColumnElement, false
from sqlmodel import col, func, or_

from verifier import Permission

_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9_-]*"
_ROLE_NAME = re.compile(rf"{_SEGMENT}(?:\.{_SEGMENT}){{2,}}", re.ASCII)
_USER_NAME = re.compile(rf"{_SEGMENT}(?:\.{_SEGMENT})*", re.ASCII)
MAX_NAME = 200
_MAX_APP_NAME = 100


class InvalidName(ValueError):
    """A name that no principal can have; the message shows the form."""


def check_role_name(name: str) -> str:
    """Raises InvalidName."""
    if len(name) > MAX_NAME or _ROLE_NAME.fullmatch(name) is None:
        raise InvalidName(
            f"{name[:MAX_NAME]!r} is not a role name: write ORG.ACCOUNT.NAME, "
            "of letters, digits, '-' and '_' with dots between, for example org.account.ci"
        )
    return name


def check_user_name(name: str) -> str:
    """Raises InvalidName."""
    if len(name) > MAX_NAME or _USER_NAME.fullmatch(name) is None:
        raise InvalidName(
            f"{name[:MAX_NAME]!r} is not a user name: use letters, digits, '-' and '_', with dots between"
        )
    return name


def check_app_name(name: str) -> str:
    """Raises InvalidName."""
    if len(name) > _MAX_APP_NAME or _USER_NAME.fullmatch(name) is None:
        raise InvalidName(
            f"{name[:_MAX_APP_NAME]!r} is no app name: use letters, digits, '-' and '_', with dots between"
        )
    return name


def begins_with(column: str, text: str) -> ColumnElement[bool]:
    """Whether the name in this column does."""
    # LIKE would take "_" for any letter, and on SQLite "a" for "A".
    return func.substr(column, 1, len(text)) == text


def named_within(column: str, kind: str, permissions: Iterable[Permission]) -> ColumnElement[bool]:
    """Whether one of the permissions names it; `kind` is what stands before the name in this column."""
    named = {(kind + each.name, each.is_prefix) for each in permissions}
    return or_(
        false(),
        col(column).in_([name for name, is_prefix in named if not is_prefix]),
        *(begins_with(column, name) for name, is_prefix in named if is_prefix),
    )
