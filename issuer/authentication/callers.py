"""Who calls the issuer's own API: a role key, or a token made for the issuer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from starlette.requests import Request

from issuer.authentication.client import authorization, basic
from issuer.authentication.role_key import RoleKeyAuthentication
from issuer.coherence import Coherence
from issuer.credentials import InvalidCredential
from issuer.denials import BearerDenial, Denial
from issuer.mint import Grant
from issuer.store.trust_policies import TRUST_PREFIX
from issuer.telemetry import note
from keys import Handle
from keys.secret import ROLE_KEY_PREFIX
from verifier import InsufficientScope, Scope, Token, TokenError, Verifier
from verifier.bearer import bearer_token

_NO_LABELS: Mapping[str, str] = {}
_TICKET = (
    "a job's ticket is good for tokens alone: GET /v1/token gives one for this API, with the issuer's URL as "
    "resource"
)


@dataclass(frozen=True, slots=True)
class Caller:
    """A credential that was found good, and what it may do."""

    principal: str
    client_id: str
    status_index: int
    """Of the secret behind the credential: while that is in force the caller may do what it could."""
    roles: tuple[str, ...]
    scope: Scope
    audience: tuple[str, ...] | None
    """None for a role key, which is for no single service."""
    expires_at: float | None
    actor: str | None = None
    """Who acts for the principal, if that is not itself: the id of a client."""
    is_narrowed: bool = False
    """Whether it may do less than its principal, as a program's credential should."""
    audiences: tuple[str, ...] = ()
    """Which services the role key behind it is for; () for all."""
    issued_at: float | None = None
    """Of a token, which does not say whether it was narrowed; None for a role key."""

    @property
    def is_on_behalf(self) -> bool:
        """Whether an app acts for the principal: what people do for themselves is none of its business."""
        return self.actor is not None

    @classmethod
    def by_secret(cls, grant: Grant) -> Caller:
        """Who shows a secret, from which tokens are issued by `grant`: it is for no single service."""
        return cls(
            principal=grant.subject,
            client_id=grant.client_id,
            status_index=grant.status_index,
            roles=grant.carried,
            scope=grant.rights,
            audience=None,
            expires_at=grant.ends_at,
            is_narrowed=grant.is_narrowed,
            audiences=grant.audiences,
        )

    @classmethod
    def by_token(cls, token: Token, audiences: tuple[str, ...] = ()) -> Caller:
        """Who shows a token that was verified. audiences: as of the role key that it came from."""
        return cls(
            principal=token.subject,
            client_id=token.client_id,
            status_index=-1 if token.status is None else token.status.index,
            roles=token.roles,
            scope=token.scope,
            audience=token.audience,
            expires_at=token.expires_at,
            actor=token.actor,
            # What its role key was narrowed to is not in it; a job, or who is trusted, is a program, and no
            # more than its role.
            is_narrowed=token.client_id.startswith((ROLE_KEY_PREFIX, TRUST_PREFIX)) or token.job is not None,
            audiences=audiences,
            issued_at=token.issued_at,
        )

    @property
    def logged_as(self) -> str:
        """Who it is in the logs: a role key, or whoever is behind a client of many; `actor` stands beside."""
        return self.client_id if self.client_id.startswith(ROLE_KEY_PREFIX) else self.principal

    def require(self, action: str, resource: str, labels: Mapping[str, str] = _NO_LABELS) -> None:
        """Raises BearerDenial unless the caller may do it."""
        if not self.scope.covers(action, resource, labels):
            raise BearerDenial(InsufficientScope(f"{action}@{resource}"))

    def is_oneself(self, principal: str) -> bool:
        """Whether the principal itself asks, with all that it may: not an app for it, nor a narrowed key."""
        return self.principal == principal and not self.is_on_behalf and not self.is_narrowed

    def require_within(self, scope: Scope, what: str) -> None:
        """Nobody hands on more than they hold. Raises Denial, which says what is missing."""
        missing = scope.beyond(self.scope)
        if missing:
            raise Denial(
                "not_permitted",
                f"{what} would be wider than you: {missing} is missing",
                missing=str(missing),
            )

    def require_services(self, asked: Collection[str] = ()) -> None:
        """Nobody makes a credential for more services than their own is for. Raises Denial.

        asked: which ones; () for all.
        """
        if self.audiences and not (asked and self.audiences_cover(asked)):
            raise Denial(
                "not_permitted",
                f"your API token is for {', '.join(self.audiences)} alone: it makes no credential for more",
            )

    def is_for(self, service: str) -> bool:
        """Whether what was shown is good at this service."""
        return self.audiences_cover([service]) and (self.audience is None or service in self.audience)

    def audiences_cover(self, asked: Collection[str]) -> bool:
        """Whether the credential is for these services."""
        return not self.audiences or set(asked) <= set(self.audiences)


def _for_others(audiences: Collection[str]) -> str:
    return f"the API token is for {', '.join(audiences)} alone"


class Callers:
    """Recognises the caller of a request."""

    def __init__(self, role_keys: RoleKeyAuthentication, coherence: Coherence) -> None:
        self._role_keys = role_keys
        self._coherence = coherence

    async def identify(self, request: Request, verifier: Verifier) -> Caller:
        """By role key, or by token that `verifier` accepts. Raises BearerDenial, Denial, StoreUnavailable."""
        if request.scope["query_string"] and "access_token" in request.query_params:
            raise Denial("invalid_request", "a token belongs in the Authorization header, never in the URL")
        header = authorization(request)
        self._coherence.check()
        if (header or "").lower().startswith("basic "):
            return await self._role_key(request, verifier, ":".join(basic(header or "")))
        presented = bearer_token(header)
        if presented is None:
            raise BearerDenial(None)
        if presented.startswith(Handle.JOB_TICKET):
            raise Denial("invalid_token", _TICKET)
        if ":" in presented:
            return await self._role_key(request, verifier, presented)
        return await self._token(request, verifier, presented)

    async def _role_key(self, request: Request, verifier: Verifier, presented: str) -> Caller:
        try:
            grant = await self._role_keys.prove(request, presented)
        except InvalidCredential as error:
            raise Denial("invalid_token", str(error)) from None
        if grant.audiences and verifier.audiences.isdisjoint(grant.audiences):
            raise BearerDenial(TokenError("wrong_audience", _for_others(grant.audiences)))
        return Caller.by_secret(grant)

    async def _token(self, request: Request, verifier: Verifier, presented: str) -> Caller:
        try:
            token = verifier.verify(presented)
        except TokenError as error:
            raise BearerDenial(error) from None
        note(request.scope, client_id=token.client_id, sub=token.subject, jti=token.token_id)
        return Caller.by_token(token, await self._role_keys.audiences_behind(token.client_id))
