"""Who sends a request, and whether a route is open to them: what every integration asks.

It knows HTTP's header, and no framework.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from verifier.bearer import Refusal, bearer_token, role_key
from verifier.claims import Token
from verifier.errors import InsufficientScope, TokenError
from verifier.labels import InvalidLabel
from verifier.permission import is_request
from verifier.verify import Verifier

if TYPE_CHECKING:
    from verifier.role_keys import RoleKeys

_PARAMETER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")


class Refused(Exception):
    """A request that is not let in: its token is bad, or (`error` None) it has none."""

    def __init__(self, error: TokenError | None) -> None:
        super().__init__(str(error or "no credential"))
        self.error = error


Answered: TypeAlias = Refused | InsufficientScope | InvalidLabel
ANSWERED = (Refused, InsufficientScope, InvalidLabel)
"""What becomes an answer: a handler raises these too, when it asks the token itself, and for labels."""


def refusal(error: Answered) -> Refusal:
    """The answer."""
    if isinstance(error, InvalidLabel):
        return Refusal(400, "invalid_label", str(error), {}, None)
    return Refusal.of(error.error if isinstance(error, Refused) else error)


class Authentication:
    """From the Authorization header of a request to a token."""

    def __init__(self, verifier: Verifier, role_keys: RoleKeys | None = None) -> None:
        """role_keys: accepts role keys and API tokens too; they are exchanged for tokens of this service."""
        self._verifier = verifier
        self._role_keys = role_keys

    def token(self, authorization: str | None) -> Token:
        """Raises Refused. Waits for nothing but the issuer's word about a role key that is new here."""
        try:
            if self._role_keys is not None and (key := role_key(authorization)) is not None:
                return self._role_keys.token(key)
            return self._verified(authorization)
        except TokenError as error:
            raise Refused(error) from None

    async def token_async(self, authorization: str | None) -> Token:
        """The same where nothing may block."""
        try:
            if self._role_keys is not None and (key := role_key(authorization)) is not None:
                return await self._role_keys.token_async(key)
            return self._verified(authorization)
        except TokenError as error:
            raise Refused(error) from None

    def _verified(self, authorization: str | None) -> Token:
        raw = bearer_token(authorization)
        if raw is None:
            raise Refused(None)
        return self._verifier.verify(raw)


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a route asks of a token."""

    action: str
    resource: str = "*"
    """`{name}` in it stands for that parameter of the route; "*" is all resources together."""
    _has_parameters: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Raises ValueError for what no token could ever allow."""
        if not is_request(self.action, _PARAMETER.sub("x", self.resource)):
            raise ValueError(
                f"{self.action!r} on {self.resource!r} is no request: write noun:verb, and the name of a "
                "resource, with a route's parameters as {name}"
            )
        object.__setattr__(self, "_has_parameters", "{" in self.resource)

    def check(self, token: Token | None, parameters: Mapping[str, object]) -> Token:
        """The token, if it allows this. Raises Refused; KeyError if the route has no such parameter."""
        if token is None:
            raise Refused(None)
        resource = self.resource.format_map(parameters) if self._has_parameters else self.resource
        try:
            token.require(self.action, resource)
            return token
        except TokenError as error:
            raise Refused(error) from None
