"""The verifier: a flat list of checks over what trust holds, cheap ones first. It never blocks."""

from __future__ import annotations

import logging
import time
import weakref
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from keys import PublicKey
from verifier import jws, strict_json
from verifier.claims import TYP, Token
from verifier.errors import InvalidClaim, TokenError, Unavailable
from verifier.trust import ISSUED_ALGORITHMS, MAX_SKEW, Trust

_MAX_REMEMBERED = 4096
_MAX_REMEMBERED_CHARACTERS = 2048
"""Of one token: whoever narrows a long one again and again is not to fill a service's memory."""
_MAX_LEEWAY = 60
_FOREVER = float("inf")

logger = logging.getLogger(__name__)


class Verifier:
    """Verifies the access tokens of one issuer for one service.

    Without `trust` it keeps itself fresh in the background, from the issuer's JWKS and status list. It may be
    shared by threads, lives on in a forked child, and is closed by `close()` or as a context manager.
    """

    def __init__(
        self,
        issuer: str,
        audience: str | Iterable[str],
        *,
        trust: Trust | None = None,
        wait: float = 5.0,
        algorithms: Iterable[str] = ISSUED_ALGORITHMS,
        status: Literal["required", "optional"] = "required",
        max_lifetime: float = 3600,
        leeway: float = 0,
        max_keys_age: float = 86400,
        insecure_stale_list_seconds: float = 0,
        cache_path: Path | str | None = None,
    ) -> None:
        """All times in seconds.

        issuer: the URL that is every token's `iss`.
        audience: this service's name or names; a token must be for one of them.
        trust: fixed documents instead of the network.
        wait: how long to wait here for the first documents; without them `verify` raises `keys_unavailable`.
        status: "optional" accepts tokens without a status claim, which nobody can revoke.
        max_lifetime: the longest accepted `exp` - `iat`.
        leeway: how long past `exp` a token is still accepted, at most 60.
        max_keys_age: how long keys are trusted without word from the issuer.
        insecure_stale_list_seconds: how long an expired status list still clears tokens. Each use counts in
            `stale_list_acceptances` and is logged.
        cache_path: a file that keeps the last good documents across restarts.

        Raises ValueError for an argument that would verify nothing or too much.
        """
        self.audiences = frozenset([audience] if isinstance(audience, str) else audience)
        if not issuer or not self.audiences or "" in self.audiences:
            raise ValueError(
                "issuer and audience must not be empty: without them any service's token would pass"
            )
        if not 0 <= leeway <= _MAX_LEEWAY:
            raise ValueError(f"leeway is between 0 and {_MAX_LEEWAY} seconds")
        if status not in ("required", "optional"):
            raise ValueError('status is "required" or "optional"')
        # Not-a-number and infinity would switch off the very check that they set.
        if not (0 < max_lifetime < _FOREVER and 0 < max_keys_age < _FOREVER):
            raise ValueError("max_lifetime and max_keys_age are positive and have an end")
        if not 0 <= insecure_stale_list_seconds < _FOREVER:
            raise ValueError("insecure_stale_list_seconds is not negative and has an end")
        if trust is not None and trust.issuer != issuer:
            raise ValueError("trust is another issuer's")
        if trust is not None and not trust.algorithms <= frozenset(algorithms):
            raise ValueError("trust accepts more algorithms than these")
        self.issuer = issuer
        self.trust = Trust(issuer, algorithms) if trust is None else trust
        self.stale_list_acceptances = 0
        self._status_required = status == "required"
        self._max_lifetime = max_lifetime
        self._leeway = leeway
        self._max_keys_age = _FOREVER if trust else max_keys_age
        self._stale_list_seconds = insecure_stale_list_seconds
        self._remembered: tuple[Mapping[str, PublicKey], dict[str, Token]] = (self.trust.keys, {})
        self._refresher = None
        if trust is None:
            # The network stack costs more to import than all the rest, and fixed trust never needs it.
            from verifier.refresh import Refresher

            self._refresher = Refresher(self.trust, cache_path)
            weakref.finalize(self, self._refresher.close)
            self._refresher.start(wait)

    def verify(self, raw: str, *, now: float | None = None) -> Token:
        """The token, if it is good at `now` (Unix seconds, by default the system's). Raises TokenError."""
        now = time.time() if now is None else now
        trust = self.trust
        keys, remembered = self._remembered
        if keys is not trust.keys or len(remembered) >= _MAX_REMEMBERED:
            keys, remembered = self._remembered = (trust.keys, {})
        token = remembered.get(raw) if type(raw) is str else None
        if token is None:
            token = self._read(raw)
            if type(raw) is str and len(raw) <= _MAX_REMEMBERED_CHARACTERS:
                remembered[raw] = token
        if now - (trust.keys_updated_at or now) > self._max_keys_age:
            raise Unavailable("keys_unavailable", "the issuer was not heard of for too long")
        if now >= token.expires_at + self._leeway:
            raise TokenError("expired", "the token has expired: get a new one")
        begun_by = now + MAX_SKEW
        if token.issued_at > begun_by or (token.not_before or 0) > begun_by:
            raise TokenError("not_yet_valid", "the token begins in the future: check the clocks")
        self._check_status(token, now)
        return token

    def _read(self, raw: str) -> Token:
        """Every check that does not depend on the moment: a token that passed stays good for these keys."""
        unverified = jws.parse(raw)
        if not self.trust.keys:
            raise Unavailable("keys_unavailable", "the issuer's keys have not been loaded yet")
        if unverified.header.typ != TYP:
            raise TokenError("wrong_type", "not an access token (typ at+jwt)")
        self._check_signature(unverified)
        try:
            claims = strict_json.parse_object(unverified.payload)
        except ValueError as error:
            raise TokenError("malformed", "the payload is not a strict JSON object") from error
        if claims.get("iss") != self.issuer:
            raise TokenError("wrong_issuer", "the token is another issuer's")
        token = Token.from_claims(claims)
        if self.audiences.isdisjoint(token.audience):
            raise TokenError("wrong_audience", "the token is for another service")
        if token.expires_at - token.issued_at > self._max_lifetime:
            raise InvalidClaim("exp", f"is more than {self._max_lifetime:g} seconds after iat")
        if token.status is None and self._status_required:
            raise InvalidClaim("status", "is missing")
        return token

    def _check_signature(self, unverified: jws.UnverifiedJws) -> None:
        try:
            self.trust.signature_holds(unverified)
        except TokenError as error:
            if error.code == "unknown_key" and self._refresher is not None:
                self._refresher.request_keys()
            raise

    def _check_status(self, token: Token, now: float) -> None:
        reference = token.status
        if reference is None:
            return
        signed = self.trust.lists.get(reference.uri)
        if signed is None:
            raise Unavailable("revocation_stale", "the token's status list is not at hand")
        if now >= signed.content.expires_at:
            self._accept_stale(signed.content.expires_at, now)
        try:
            status = signed.content.status(reference.index)
        except IndexError:
            raise Unavailable("revocation_stale", "the token's index is past the end of its list") from None
        if status:
            raise TokenError("revoked", "the credential behind the token was revoked")

    def _accept_stale(self, expired_at: float, now: float) -> None:
        if now >= expired_at + self._stale_list_seconds:
            raise Unavailable("revocation_stale", "the status list has expired and no newer one came")
        if not self.stale_list_acceptances:
            logger.warning(
                "accepting tokens on a status list that expired at %d, for up to %d seconds",
                expired_at,
                self._stale_list_seconds,
            )
        self.stale_list_acceptances += 1

    def close(self) -> None:
        """Ends the background refresh. What is known stays in force until it expires."""
        if self._refresher is not None:
            self._refresher.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
