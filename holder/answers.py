"""What the issuer answers: the values, and JSON -> value.

Members that are not known here are passed over, so that an issuer may be newer than its holders. Times are
RFC 3339 text, as they came.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from types import UnionType
from typing import TypeVar, get_args, get_origin, get_type_hints

A = TypeVar("A")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""No text of an issuer has these: they would steer the terminal that shows it."""


class MalformedAnswer(ValueError):
    """JSON that is not what was asked for; the message names the member, never its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A token just issued (RFC 6749 section 5.1)."""

    access_token: str = field(repr=False)
    token_type: str
    expires_in: int
    """Seconds."""
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted(IssuedToken):
    """A token of a user's sign-in, and what gives the next one."""

    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAuthorization:
    """What a device shows and asks with (RFC 8628 section 3.2)."""

    device_code: str = field(repr=False)
    user_code: str
    verification_uri: str
    verification_uri_complete: str | None = None
    expires_in: int
    interval: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Who a credential is."""

    principal: str
    roles: list[str]
    scope: str
    client_id: str
    audience: list[str] | None = None
    expires_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role."""

    name: str
    created_at: str
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedRole:
    """A role that is gone, and the access ids of its keys, which went with it."""

    deleted: str
    keys: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRoleKey:
    """A role key with its secret: the only time that it is shown."""

    access: str
    secret: str = field(repr=False)
    role: str
    name: str | None = None
    scope: str | None = None
    created_at: str
    created_by: str
    expires_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRoleKey:
    """A role key as its role's list shows it."""

    access: str
    role: str
    name: str | None = None
    scope: str | None = None
    created_at: str
    created_by: str
    expires_at: str | None = None
    last_exchanged_at: str | None = None
    """Offline use cannot be seen: this is when a token was last got with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedRoleKey:
    """A role key that is gone, and the access ids of those that were made with it, which live on."""

    deleted: str
    made: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One permission of a role."""

    id: int
    role: str
    permission: str
    created_at: str
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedPolicy:
    """The id of a policy that is gone."""

    deleted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person, with the roles that the person holds."""

    name: str
    display_name: str = ""
    email: str | None = None
    state: str
    """`active` or `disabled`."""
    roles: list[str]
    created_at: str
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedUser:
    """A user who is gone, and the access ids of the keys that went along."""

    deleted: str
    keys: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A link by which a user sets up how to sign in, once."""

    user: str
    url: str = field(repr=False)
    expires_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A role that a user holds."""

    user: str
    role: str
    created_at: str
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenRole:
    """A role that a user does not hold any more."""

    user: str
    taken: str


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What is registered of an app."""

    name: str
    client_id: str
    owner: str
    role: str | None = None
    description: str = ""
    redirect_uris: list[str]
    host: str | None = None
    scope: str
    token_endpoint_auth_method: str
    id_token_signed_response_alg: str | None = None
    created_at: str
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredApp(App):
    """An app that has just got its secret, if it has one."""

    client_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedApp:
    """An app that is gone."""

    deleted: str


def read(kind: type[A], answer: object) -> A:
    """`answer` as a value of one of the classes above. Raises MalformedAnswer."""
    if not isinstance(answer, Mapping):
        raise MalformedAnswer("the answer is not a JSON object")
    members: dict[str, object] = {}
    for name, (hint, required) in _members(kind).items():
        if name not in answer and required:
            raise MalformedAnswer(f"{name} is missing")
        if name in answer:
            if not _is(answer[name], hint):
                raise MalformedAnswer(f"{name} is not of its kind")
            members[name] = answer[name]
    return kind(**members)


def read_page(kind: type[A], answer: object) -> tuple[list[A], str | None]:
    """One page of a list, and the cursor of the next one. Raises MalformedAnswer."""
    if not isinstance(answer, Mapping) or not isinstance(answer.get("items"), list):
        raise MalformedAnswer("items is missing")
    following = answer.get("next_cursor")
    if not isinstance(following, str | None):
        raise MalformedAnswer("next_cursor is not of its kind")
    return [read(kind, item) for item in answer["items"]], following or None


def read_metadata(answer: object) -> Mapping[str, str]:
    """What is text in the issuer's metadata (RFC 8414). Raises MalformedAnswer."""
    if not isinstance(answer, Mapping):
        raise MalformedAnswer("the metadata is not a JSON object")
    return {name: text for name, text in answer.items() if isinstance(text, str)}


def names(kind: type[object]) -> list[str]:
    """The members of one of the classes above."""
    return list(_members(kind))


def _members(kind: type[object]) -> dict[str, tuple[object, bool]]:
    """Of each member its type and whether it is required."""
    hints = get_type_hints(kind)
    return {
        member.name: (hints[member.name], member.default is MISSING)
        for member in fields(kind)  # type: ignore[arg-type]  # the classes above are dataclasses
    }


def _is(value: object, hint: object) -> bool:
    if isinstance(hint, UnionType):
        return any(_is(value, each) for each in get_args(hint))
    if get_origin(hint) is list:
        return isinstance(value, list) and all(_is(item, str) for item in value)
    if hint is str:
        return isinstance(value, str) and _CONTROL.search(value) is None
    return isinstance(value, hint) if isinstance(hint, type) else False
