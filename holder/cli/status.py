"""Where we are: which issuer, which credential counts and what it hides, and who we are there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, TypeVar

from holder.cli.moments import beside_issuers
from holder.cli.options import with_session
from holder.cli.output import aligned
from holder.cli.session import Session, say
from holder.errors import HolderError, Unreachable

if TYPE_CHECKING:
    from holder.answers import Me
    from holder.credentials import Offer
    from holder.profile import Profile

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """A credential that is there and does not count, as another one goes before it."""

    source: str
    api_token: str
    principal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What could be found out; None where it could not. No secret is in it."""

    issuer: str | None
    issuer_source: str | None
    issuer_answers: bool | None
    clock_ahead_seconds: int | None
    """Of the issuer's, the clock here; None also where it agrees."""
    profile: str | None
    profile_source: str | None
    credential: str | None
    """Where the one that counts comes from."""
    api_token: str | None
    kept_in: str | None
    """The file that keeps the one that counts, or "keyring"; None where it was given."""
    hides: list[Hidden]
    principal: str | None
    roles: list[str] | None
    scope: str | None
    expires_at: str | None


@with_session
def status(session: Session) -> None:
    """Show which issuer and credential count, and who that is.

    What is known is shown in any case. The exit code says what is missing: 4 a good credential, 7 an issuer
    that answers.

    \b
    Examples:
      hourmark status
      hourmark status --field principal
    """
    view = session.view([field.name for field in fields(Status)])
    look = _Look(session)
    found = look.status()
    view.one(asdict(found), plain=_words(found))
    if look.trouble is not None:
        raise look.trouble


class _Look:
    """Asks one question after another; an error ends its question alone."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.trouble: HolderError | None = None
        """The first thing that is wrong with what counts."""
        self._clock_ahead: float | None = None

    def status(self) -> Status:
        """The answers."""
        session = self._session
        offers = self._offers()
        first = offers[0] if offers else None
        credential = self._try(lambda: session.credential)
        url = self._try(lambda: session.url)
        me, answers = (None, None) if url is None else self._ask(public=credential is None)
        name, name_source = self._profile()
        return Status(
            issuer=url,
            issuer_source=session.url_source if url else None,
            issuer_answers=answers,
            clock_ahead_seconds=None if self._clock_ahead is None else round(self._clock_ahead),
            profile=name,
            profile_source=name_source,
            credential=first.source if first else None,
            api_token=first.redacted if first else None,
            kept_in=_kept_in(first.profile) if first and first.profile else None,
            hides=[
                Hidden(source=offer.source, api_token=offer.redacted, principal=offer.principal)
                for offer in offers[1:]
            ],
            principal=me.principal if me else first.principal if first else None,
            roles=me.roles if me else None,
            scope=me.scope if me else None,
            expires_at=me.expires_at if me else None,
        )

    def _offers(self) -> list[Offer]:
        """All credentials that are there; the first one counts."""
        from holder import credentials

        given = self._session.given
        try:
            return [*given, *credentials.kept(self._session.profile, self._session.token_of)]
        except HolderError as error:
            if given:  # where nothing else counts, it comes up again
                say(f"{error}. Try: {error.hint}")
            return given

    def _profile(self) -> tuple[str | None, str | None]:
        """The name of the profile that counts, and what says so."""
        try:
            return self._session.profile_name, self._session.profile_source
        except HolderError:
            return None, None

    def _ask(self, *, public: bool) -> tuple[Me | None, bool]:
        """Who we are there, and whether the issuer answers."""
        issuer = self._session.issuer(public=public)
        try:
            if public:
                issuer.jwks()
                return None, True
            return issuer.me(), True
        except HolderError as error:
            self.trouble = self.trouble or error
            return None, not isinstance(error, Unreachable)
        finally:
            self._clock_ahead = issuer.clock_ahead

    def _try(self, question: Callable[[], T]) -> T | None:
        try:
            return question()
        except HolderError as error:
            self.trouble = self.trouble or error
            return None


def _words(found: Status) -> str:
    """The same for people: a line an answer."""
    ahead = found.clock_ahead_seconds
    answers = {True: "answers", False: "does not answer", None: None}[found.issuer_answers]
    lines: list[tuple[str, str]] = [
        ("issuer", _line(found.issuer, found.issuer_source, answers) or "none is named"),
        ("clock", "" if ahead is None else f"{beside_issuers(ahead)}: set it"),
        ("context", _line(found.profile, found.profile_source) or "it cannot be told which one counts"),
        ("credential", _line(found.credential, found.api_token) or "none"),
        ("kept in", _line(found.kept_in)),
        *(("hides", _line(each.source, each.api_token, each.principal)) for each in found.hides),
        ("principal", _line(found.principal)),
        ("roles", _line(*found.roles or ())),
        *(("scope", part) for part in (found.scope or "").split()),
        ("expires at", _line(found.expires_at)),
    ]
    return aligned([line for line in lines if line[1]])


def _kept_in(profile: Profile) -> str:
    """Where the secret of the profile is."""
    from holder.sign_ins import SignIn

    return str(profile.path) if profile.sign_in is None else SignIn(profile).place


def _line(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)
