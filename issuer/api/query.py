"""The query of a management request: how a list is paged, and by what it is filtered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from starlette.requests import Request

from issuer.api.worded import worded
from issuer.denials import wrong_field, wrong_fields

MAX_PAGE = 200
_DEFAULT_PAGE = 50
MAX_ID = 2**31 - 1
"""The database gives out no greater one."""
_MAX_NUMBER = 2**63 - 1

Item = TypeVar("Item")
Model = TypeVar("Model", bound="Query")


def _number(text: object) -> object:
    """Digits and nothing else: pydantic alone would take " 1" and "1.0" too."""
    if isinstance(text, str) and not (text.isascii() and text.isdigit() and len(text) <= 19):
        raise ValueError("is no number that can be here")
    return text


def _cursor(text: object) -> object:
    return None if text == "" else _number(text)


class Query(BaseModel):
    """The parameters that a request may have, as fields. This one: none."""

    model_config = ConfigDict(defer_build=True, frozen=True, use_attribute_docstrings=True)


class _Paged(Query):
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE), BeforeValidator(_number)] = _DEFAULT_PAGE


class PageQuery(_Paged):
    """Of a list whose cursor is the name of the last item that was shown."""

    cursor: str = ""


class NumberedPageQuery(_Paged):
    """Of a list whose cursor is the number of the last item that was shown."""

    cursor: Annotated[
        int | None, Field(le=_MAX_NUMBER), BeforeValidator(_cursor), WithJsonSchema({"type": "string"})
    ] = None


class IdPageQuery(_Paged):
    """Of a list whose cursor is the id of the last item that was shown."""

    cursor: Annotated[
        int | None, Field(le=MAX_ID), BeforeValidator(_cursor), WithJsonSchema({"type": "string"})
    ] = None


Text = Annotated[str, Field(min_length=1, max_length=300)]
"""What an item must have just so."""
NamePrefix = Annotated[
    str,
    Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9._-]*$"),
    worded("write how names begin: letters, digits, dots, hyphens and underscores"),
]


class Page(BaseModel, Generic[Item]):
    """A part of a list; `next_cursor` continues behind it and is null at the end."""

    model_config = ConfigDict(defer_build=True, extra="forbid")

    items: list[Item]
    next_cursor: str | None


def page_of(items: list[Item], limit: int, cursor: Callable[[Item], str]) -> Page[Item]:
    """The first `limit` of up to `limit` + 1 items, and the cursor behind them if there are more."""
    shown = items[:limit]
    return Page(items=shown, next_cursor=cursor(shown[-1]) if len(items) > limit else None)


def read_query(request: Request, model: type[Model]) -> Model:
    """Raises Denial, also for a parameter that is unknown or there twice: it was to narrow something."""
    given = request.query_params.multi_items()
    for name, times in Counter(name for name, _ in given).items():
        if name not in model.model_fields:
            known = ", ".join(sorted(model.model_fields)) or "none at all"
            raise wrong_field(name[:100], f"is no parameter here; known: {known}")
        if times > 1:
            raise wrong_field(name, "appears twice")
    for name, text in given:
        if "\0" in text:
            # PostgreSQL takes none, not even to compare with it.
            raise wrong_field(name, "holds a NUL character")
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        raise wrong_fields(error) from None
