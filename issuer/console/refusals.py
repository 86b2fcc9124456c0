"""What an operation refuses, in words for whoever is signed in, and beside the field that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus

from issuer import denials
from issuer.denials import BearerDenial, Denial, Refusal
from issuer.store.names import InvalidName
from issuer.store.refusals import Conflict, NotFound
from issuer.store.role_keys import NoSuchKey
from issuer.store.signing_keys import UnknownSigningKey
from verifier import InsufficientScope, InvalidPermission

REFUSALS = (
    Denial,
    BearerDenial,
    Conflict,
    NotFound,
    NoSuchKey,
    UnknownSigningKey,
    InvalidName,
    InvalidPermission,
)
"""What an operation raises that somebody may be able to mend in a form."""
_MENDED_IN_A_FORM = {
    *("invalid_field", "conflict", "not_permitted", "insufficient_scope", "not_found", "precondition_failed")
}
_STATUS_OF_ITS_OWN = (HTTPStatus.FORBIDDEN, HTTPStatus.PRECONDITION_FAILED)
"""All else is a form that is wrong somehow: 400."""


class Wrong(dict[str, str]):
    """What is wrong with a form, by field, and "" for all of it; and the status of the page that says so."""

    def __init__(self, fields: Mapping[str, str], status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(fields)
        self.status = status

    @property
    def is_stale(self) -> bool:
        """What the form is about changed since its page was shown."""
        return self.status == HTTPStatus.PRECONDITION_FAILED


NOTHING = Wrong({}, HTTPStatus.OK)


def for_people(error: Exception) -> Refusal:
    """As `denials.refusal`, but nobody here knows of tokens and challenges."""
    refused = denials.refusal(error)
    if isinstance(error, BearerDenial) and isinstance(error.error, InsufficientScope):
        detail = f"you would need the permission {error.error.permission}"
        return replace(refused, detail=detail, headers={}, members={})
    if refused.code == "precondition_failed":
        detail = "this was changed since you opened the page: nothing is saved yet, look at what is new first"
        return replace(refused, detail=detail)
    return refused


def by_field(error: Exception, fields: Mapping[str, str] | None = None) -> Wrong:
    """What is wrong with a form. Raises `error` if the form is not to blame.

    fields: those of the operation that have another name in the form.
    """
    refused = for_people(error)
    if refused.code not in _MENDED_IN_A_FORM:
        raise error
    status = refused.status if refused.status in _STATUS_OF_ITS_OWN else HTTPStatus.BAD_REQUEST
    found = refused.members.get("errors")
    if not isinstance(found, list):
        return Wrong({"": refused.detail}, status)
    renamed = fields or {}
    named = [(each["field"].partition(".")[0], each["message"]) for each in found]
    return Wrong({renamed.get(name, name): message for name, message in named}, status)
