"""Forms into what the API's operations take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from issuer.console.refusals import Wrong
from issuer.denials import wrong_field, wrong_fields
from verifier.labels import RESERVED

Model = TypeVar("Model", bound=BaseModel)
CONFIRMED = "confirm"
_WAS = "was-"
"""How the fields begin that say what a form was filled with when its page was shown."""
_MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Editing:
    """A form for what there is already."""

    filled: Mapping[str, str]
    was: Mapping[str, str]
    """What its page shows, as hidden fields beside those that people change."""
    wrong: Wrong


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
    """What cannot be undone is done by who typed its name, in whatever white space. Raises Denial."""
    if form.get(CONFIRMED, "").split() != name.split():
        raise wrong_field(CONFIRMED, f"type {name} here, letter by letter")


def editing(form: Mapping[str, str], stored: Mapping[str, str], wrong: Wrong) -> Editing:
    """The form for what is `stored`, with all that somebody typed into it, if they did.

    Where that changed since their page was shown, what they left alone is as it is now, and what they changed
    too stays as they typed it; each of these fields says so.
    """
    if form.keys().isdisjoint(stored):
        return Editing(stored, stored, wrong)
    was = {name: form.get(_WAS + name, text) for name, text in stored.items()}
    filled = {name: form.get(name, "") for name in stored}
    if not wrong.is_stale:
        return Editing(filled, was, wrong)
    said = dict(wrong)
    for name, text in stored.items():
        if _is_same(text, was[name]) or _is_same(text, filled[name]):
            continue
        if _is_same(filled[name], was[name]):
            filled[name] = text
            said[name] = "changed meanwhile: it stands here as it is now"
        else:
            now = " ".join(text.split())[:_MOST_SHOWN] or "empty"
            said[name] = f"changed meanwhile, and kept as you typed it; now it is: {now}"
    return Editing(filled, stored, Wrong(said, wrong.status))


def _is_same(text: str, other: str) -> bool:
    """Browsers end lines in their own way."""
    return text.split() == other.split()


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
