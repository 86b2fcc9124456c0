"""Forms into what the API's operations take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from issuer.denials import wrong_field, wrong_fields
from verifier.labels import RESERVED

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


def labels(text: str) -> dict[str, str]:
    """From `name=value`, one a line or with spaces between. Raises Denial."""
    found: dict[str, str] = {}
    for part in text.split():
        name, joint, value = part.partition("=")
        if not joint or name in found:
            raise wrong_field("labels", f"{part[:100]!r}: write name=value, each name once")
        found[name] = value
    return found


def written_labels(labels: Mapping[str, str]) -> str:
    """As the function above reads them, without those of the platform, which nobody changes."""
    own = {name: value for name, value in labels.items() if not name.startswith(RESERVED)}
    return "\n".join(f"{name}={value}" for name, value in own.items())
