"""Forms into what the API's operations take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from issuer.denials import wrong_field, wrong_fields

Model = TypeVar("Model", bound=BaseModel)
CONFIRMED = "confirm"


def read(model: type[Model], values: Mapping[str, object]) -> Model:
    """Raises Denial, which names each field that is wrong."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise wrong_fields(error) from None


def given(form: Mapping[str, str], *names: str) -> dict[str, str]:
    """Those fields that somebody filled in, without white space around: empty ones say nothing."""
    return {name: text for name in names if (text := form.get(name, "").strip())}


def require_name_typed(form: Mapping[str, str], name: str) -> None:
    """What cannot be undone is done by who typed its name. Raises Denial."""
    if form.get(CONFIRMED, "").strip() != name:
        raise wrong_field(CONFIRMED, f"type {name} here, letter by letter")
