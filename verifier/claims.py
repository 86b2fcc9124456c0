"""Token <-> claims, both ways (RFC 7519, RFC 9068, RFC 8693, Token Status List).

Reading checks that each claim is there and of its kind. What a claim is worth at a moment, to a service, is
`verify`'s business. Tokens of other issuers are read with the same `read_claim` and its kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar, cast

from verifier.errors import InsufficientScope, InvalidClaim
from verifier.permission import InvalidPermission, is_label
from verifier.scope import Scope
from verifier.strict_json import MAX_DEPTH

TYP = "at+jwt"
"""The `typ` of access tokens (RFC 9068 section 2.1)."""
_LATEST = 253402300799
"""The end of the year 9999: a time beyond it is milliseconds taken for seconds, or an attack."""
T = TypeVar("T")
MAX_ACTORS = MAX_DEPTH - 1
"""Each is an object within the one before, and the first within the token."""
_NO_LABELS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class StatusReference:
    """Where a token's bit is: which list, which index (Token Status List section 6)."""

    uri: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The claims of a token. Times are Unix seconds."""

    issuer: str
    audience: tuple[str, ...]
    subject: str
    """The principal: `user:NAME` or `role:ORG.ACCOUNT.NAME`."""
    issued_at: float
    expires_at: float
    token_id: str
    client_id: str
    """Access id of the role key, id of the job or app, or `hourmark-cli`."""
    roles: tuple[str, ...] = ()
    scope: Scope = field(default_factory=Scope)
    status: StatusReference | None = None
    not_before: float | None = None
    actor: str | None = None
    """Who acts on behalf of `subject`."""
    earlier_actors: tuple[str, ...] = ()
    """On behalf of whom that one acts, the latest first: it counts for nothing (RFC 8693 section 4.1)."""
    may_act: str | None = None
    """Who alone may act on behalf of `subject` with this token (RFC 8693 section 4.4)."""
    job: str | None = None
    labels: Mapping[str, str] = field(default_factory=lambda: _NO_LABELS, hash=False)

    def require(self, action: str, resource: str, labels: Mapping[str, str] = _NO_LABELS) -> None:
        """Raises InsufficientScope unless the scope allows `action` ("noun:verb") on `resource`."""
        if not self.scope.covers(action, resource, labels):
            raise InsufficientScope(f"{action}@{resource}{_selector(labels)}")

    def has_scope(self, text: str) -> bool:
        """Whether `text` is one of the scope's parts, compared whole: for the words of other systems."""
        return text in self.scope

    def stamp(self, action: str, resource: str, labels: Mapping[str, str]) -> dict[str, str]:
        """The labels of a resource made with this token: `labels`, and those of the selector it falls under.

        Raises InsufficientScope if the resource would be out of the token's reach, or if several selectors
        would take it and none needs the fewest labels: then the caller has to write the label itself, and the
        text says which ones would do.
        Labels that the platform sets (`hourmark/…`) are never added.
        """
        stamped = self.scope.stamp(action, resource, labels)
        if stamped is None:
            wanted = f"{action}@{resource}{_selector(labels)}"
            raise InsufficientScope(wanted, self.scope.selectors_for(action, resource))
        return stamped

    @classmethod
    def from_claims(cls, claims: Mapping[str, object]) -> Token:
        """Raises InvalidClaim, which names the claim."""
        issued_at, expires_at = read_claim(claims, "iat", as_time), read_claim(claims, "exp", as_time)
        if expires_at <= issued_at:
            raise InvalidClaim("exp", "is not after iat")
        if "cnf" in claims:
            raise InvalidClaim("cnf", "asks for a proof of possession, which is not supported")
        actors = read_claim(claims, "act", _actors, ())
        return cls(
            issuer=read_claim(claims, "iss", as_text),
            audience=read_claim(claims, "aud", as_audience),
            subject=read_claim(claims, "sub", as_text),
            issued_at=issued_at,
            expires_at=expires_at,
            token_id=read_claim(claims, "jti", as_text),
            client_id=read_claim(claims, "client_id", as_text),
            roles=read_claim(claims, "roles", _texts, ()),
            scope=read_claim(claims, "scope", _scope, Scope()),
            status=read_claim(claims, "status", _status, None),
            not_before=read_claim(claims, "nbf", as_time, None),
            actor=next(iter(actors), None),
            earlier_actors=actors[1:],
            may_act=read_claim(claims, "may_act", _party, None),
            job=read_claim(claims, "job", as_text, None),
            labels=read_claim(claims, "labels", _labels, _NO_LABELS),
        )

    def to_claims(self) -> dict[str, object]:
        """The claims that `from_claims` reads back as this token."""
        claims: dict[str, object] = {
            "iss": self.issuer,
            "aud": self.audience[0] if len(self.audience) == 1 else list(self.audience),
            "sub": self.subject,
            "iat": self.issued_at,
            "exp": self.expires_at,
            "jti": self.token_id,
            "client_id": self.client_id,
            "roles": list(self.roles),
            "scope": str(self.scope),
        }
        if self.status is not None:
            claims["status"] = {"status_list": {"idx": self.status.index, "uri": self.status.uri}}
        if self.not_before is not None:
            claims["nbf"] = self.not_before
        if self.actor is not None:
            claims["act"] = _nested((self.actor, *self.earlier_actors))
        if self.may_act is not None:
            claims["may_act"] = {"sub": self.may_act}
        if self.job is not None:
            claims["job"] = self.job
        if self.labels:
            claims["labels"] = dict(self.labels)
        return claims


def read_claim(
    claims: Mapping[str, object], name: str, kind: Callable[[object], T | None], default: object = ...
) -> T:
    """The claim `name` as `kind` reads it, which gives None for what is not of its kind.

    Raises InvalidClaim.
    """
    if name not in claims:
        if default is ...:
            raise InvalidClaim(name, "is missing")
        return cast("T", default)
    value = kind(claims[name])
    if value is None:
        raise InvalidClaim(name, "is not of its kind")
    return value


def as_text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def as_time(value: object) -> float | None:
    """A NumericDate (RFC 7519 section 2) of this age of the world."""
    # Compared, not converted: JSON has integers that no float can hold.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        return None
    return value


def _texts(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return None
    return tuple(value)


def as_audience(value: object) -> tuple[str, ...] | None:
    return (value,) if isinstance(value, str) else _texts(value)


def _scope(value: object) -> Scope | None:
    try:
        return Scope.parse(value) if isinstance(value, str) else None
    except InvalidPermission:
        return None


def _status(value: object) -> StatusReference | None:
    reference = value.get("status_list") if isinstance(value, dict) else None
    if not isinstance(reference, dict):
        return None
    uri, index = reference.get("uri"), reference.get("idx")
    if not isinstance(uri, str) or type(index) is not int or index < 0:
        return None
    return StatusReference(uri, index)


def _party(value: object) -> str | None:
    return as_text(value.get("sub")) if isinstance(value, dict) else None


def _actors(value: object) -> tuple[str, ...] | None:
    """The outermost first. None unless each names one."""
    actors: list[str] = []
    while len(actors) < MAX_ACTORS:
        if not isinstance(value, dict) or (name := as_text(value.get("sub"))) is None:
            return None
        actors.append(name)
        if "act" not in value:
            return tuple(actors)
        value = value["act"]
    return None


def _nested(actors: tuple[str, ...]) -> dict[str, object]:
    inner = {"act": _nested(actors[1:])} if len(actors) > 1 else {}
    return {"sub": actors[0], **inner}


def _labels(value: object) -> Mapping[str, str] | None:
    if not isinstance(value, dict) or not all(
        isinstance(text, str) and is_label(text) for text in value.values()
    ):
        return None
    return MappingProxyType({**value}) if all(map(is_label, value)) else None


def _selector(labels: Mapping[str, str]) -> str:
    return "[" + ",".join(f"{name}={value}" for name, value in sorted(labels.items())) + "]" if labels else ""
