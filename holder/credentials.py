"""Where a credential comes from, the first one counts:

flag, HOURMARK_TOKEN, HOURMARK_TOKEN_FILE, the local endpoint of the job that this runs in, profile.
"""

from __future__ import annotations

import functools
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from holder.errors import HolderError, SignInNeeded
from holder.profile import Profile
from keys import Handle, MalformedRoleKey, RoleKey
from verifier import TokenError, jws, strict_json

if TYPE_CHECKING:
    from holder.answers import IssuedToken

FLAG, VARIABLE, FILE_VARIABLE = "--app-token", "HOURMARK_TOKEN", "HOURMARK_TOKEN_FILE"
SOCKET_VARIABLE = "HOURMARK_TOKEN_SOCKET"
VARIABLES = (VARIABLE, FILE_VARIABLE, SOCKET_VARIABLE)
REDACTED = "********"
_MAX_CHARACTERS = 64 * 1024


@dataclass(frozen=True, slots=True)
class Jwt:
    """A token that somebody else got. Nothing about it is verified here: the issuer and services do that."""

    raw: str = field(repr=False)
    unverified_claims: Mapping[str, object] = field(repr=False)

    def seconds_left(self, now: float) -> float:
        """Until its own `exp`; 0 if it has none."""
        end = self.unverified_claims.get("exp")
        return max(end - now, 0) if isinstance(end, int | float) and math.isfinite(end) else 0

    @property
    def audience(self) -> list[str]:
        """Whom it says it is for."""
        named = self.unverified_claims.get("aud")
        return [
            item for item in (named if isinstance(named, list) else [named]) if item and isinstance(item, str)
        ]

    def issued(self, source: str, resource: str | None, scope: str | None) -> IssuedToken:
        """The token itself, if it is what was asked for. Raises HolderError."""
        from holder.answers import IssuedToken

        if scope is not None or (resource is not None and self.audience != [resource]):
            raise HolderError(
                "A token stays what it is: not narrower, and for no other service",
                f"the credential from {source} is a token for {', '.join(self.audience)}",
                "use a role key, or sign in: hourmark login",
                code="not_a_role_key",
            )
        own = self.unverified_claims.get("scope")
        return IssuedToken(
            access_token=self.raw,
            token_type="Bearer",  # noqa: S106 - RFC 6750's name, no secret
            expires_in=int(self.seconds_left(time.time())),
            scope=own if isinstance(own, str) else "",
        )


@dataclass(frozen=True, slots=True)
class Ticket:
    """A job's: the issuer gives tokens for it, and takes it for nothing else."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credential:
    """A role key, a JWT or a job's ticket, and where it came from."""

    secret: RoleKey | Jwt | Ticket
    source: str

    @classmethod
    def parse(cls, text: str, source: str) -> Credential:
        """Raises SignInNeeded, which says what is wrong with the text and never quotes it."""
        text = text.strip()
        try:
            if text.count(".") == 2 and not text.startswith("hm"):
                return cls(parse_jwt(text), source)
            if Handle.JOB_TICKET.is_whole(text):
                return cls(Ticket(text), source)
            return cls(RoleKey.parse(text), source)
        except (MalformedRoleKey, TokenError) as error:
            raise SignInNeeded(
                f"The credential from {source} is not whole",
                error.detail if isinstance(error, TokenError) else str(error),
                "copy it again, or make a new one: hourmark role key new ROLE",
                code="malformed_credential",
            ) from None

    @property
    def redacted(self) -> str:
        """What of it may be shown: a role key's access id, which is no secret."""
        return f"{self.secret.access}:{REDACTED}" if isinstance(self.secret, RoleKey) else REDACTED

    @property
    def bearer(self) -> str:
        """What follows `Authorization: Bearer`."""
        if isinstance(self.secret, RoleKey):
            return self.secret.reveal()
        return self.secret.raw if isinstance(self.secret, Jwt) else self.secret.text


def parse_jwt(text: str) -> Jwt:
    """Raises TokenError `malformed`."""
    try:
        return Jwt(text, strict_json.parse_object(jws.parse(text).payload))
    except ValueError:
        raise TokenError("malformed", "the payload is not a strict JSON object") from None


@dataclass(frozen=True, slots=True)
class Offer:
    """A credential that is there, and not looked at yet."""

    source: str
    _read: Callable[[], str] = field(repr=False)
    profile: Profile | None = None
    """The one that keeps it."""
    socket: str | None = None
    """The job's local endpoint, which gives tokens of it."""

    @property
    def gives_tokens(self) -> bool:
        """Whether what is read is a token that was got for it, and nothing that is kept here."""
        return self.is_sign_in or self.socket is not None

    @property
    def is_sign_in(self) -> bool:
        """Whether it is a user's sign-in."""
        return self.profile is not None and self.profile.sign_in is not None

    def credential(self) -> Credential:
        """Raises HolderError if it cannot be read or is not whole."""
        return Credential.parse(self._read(), self.source)

    @property
    def redacted(self) -> str:
        """What of it may be shown, whatever is wrong with it."""
        if self.gives_tokens:
            return REDACTED
        try:
            return self.credential().redacted
        except HolderError:
            return REDACTED

    @property
    def principal(self) -> str | None:
        """Whose it is, as far as that is known here: what signing in told, or what a token says of itself."""
        if self.profile is not None:
            return self.profile.principal
        if self.socket is not None:
            return None
        try:
            secret = self.credential().secret
        except HolderError:
            return None
        subject = secret.unverified_claims.get("sub") if isinstance(secret, Jwt) else None
        return subject if isinstance(subject, str) and subject.isprintable() else None


def given(flag: str | None, environ: Mapping[str, str], token_of_job: Callable[[str], str]) -> list[Offer]:
    """What the command line and the environment offer; the first one counts.

    token_of_job: gives a token, from the socket of a job's local endpoint.
    """
    offers = [] if flag is None else [Offer(FLAG, lambda: flag)]
    if text := environ.get(VARIABLE):
        offers.append(Offer(VARIABLE, lambda: text))
    if path := environ.get(FILE_VARIABLE):
        offers.append(Offer(FILE_VARIABLE, _reader(path)))
    if socket := environ.get(SOCKET_VARIABLE):
        offers.append(Offer(SOCKET_VARIABLE, lambda: token_of_job(socket), socket=socket))
    return offers


def _reader(path: str) -> Callable[[], str]:
    """A file is read anew each time, as somebody may keep it fresh; what may be a pipe, once."""

    def read() -> str:
        return read_file(path)

    return read if path != "-" and Path(path).is_file() else functools.cache(read)


def kept(profile: Profile, token_of: Callable[[Profile], str]) -> list[Offer]:
    """What the profile offers: one or none. `token_of` gives a token of a user's sign-in."""
    source, token = f"profile {profile.name}", profile.token
    if profile.sign_in is not None:
        return [Offer(source, lambda: token_of(profile), profile)]
    return [] if token is None else [Offer(source, lambda: token, profile)]


def find(
    given: Sequence[Offer], load_profile: Callable[[], Profile], token_of: Callable[[Profile], str]
) -> Offer:
    """The offer that counts: of those that are `given`, then the profile's. Raises SignInNeeded.

    The profile is loaded only if nothing else is there: a broken one is in nobody's way.
    """
    for offer in given or kept(load_profile(), token_of):
        return offer
    raise SignInNeeded(
        "You are not signed in",
        f"there is no {FLAG}, {', '.join(VARIABLES[:-1])} or {VARIABLES[-1]}, "
        f"and the profile {load_profile().name} keeps none",
        "hourmark login",
        code="no_credential",
    )


def read_file(path: str) -> str:
    """The text of a file, or of standard input for "-". Raises HolderError."""
    try:
        if path == "-":
            return sys.stdin.read(_MAX_CHARACTERS)
        with Path(path).open(encoding="ascii") as file:
            return file.read(_MAX_CHARACTERS)
    except (OSError, ValueError) as error:
        reason = (
            error.strerror if isinstance(error, OSError) else "it holds other characters than a credential"
        )
        raise HolderError(
            f"The credential's file {path} cannot be read",
            str(reason),
            "name a readable file that holds the credential alone",
            code="file_unreadable",
        ) from None
