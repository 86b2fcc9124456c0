"""A user's sign-in, kept between commands: a refresh token, and the tokens that it gave, until they are old.

The refresh token is in the system's keyring, else in a file of the profile, 0600. Each is good once: whoever
refreshes, begins or ends a sign-in holds a lock, and the answer is written down before anything else happens.
Killed in between, the command has lost the sign-in: the old token is used up, and the issuer ends everything
when it comes again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field

from holder import keyring, private_file
from holder.answers import Granted, IssuedToken
from holder.errors import HolderError, SignInNeeded
from holder.fresh_token import Held
from holder.keyring import NoKeyring
from holder.profile import Profile, private_folder

KEYRING, FILE = "keyring", "file"
LEAST_SECONDS = 60
"""A token with less is not handed out: its holder has something to do with it."""
Refresh = Callable[[str, str | None, str | None], Granted]
"""Refresh token, resource, scope -> the next token."""
Revoke = Callable[[str], None]
"""Ends the sign-in of a refresh token at its issuer."""


@dataclass(slots=True)
class _Kept:
    """What the file holds."""

    issuer: str | None = None
    """Whose the tokens are: they go to nobody else, whatever the profile became in the meantime."""
    refresh_token: str | None = field(default=None, repr=False)
    """None if it is in the keyring."""
    tokens: dict[str, dict[str, object]] = field(default_factory=dict, repr=False)
    """By audience and scope."""


class SignIn:
    """The sign-in of one profile."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._path = profile.path.with_suffix(".sign-in")

    def begin(self, issued: Granted, resource: str | None, *, ends: Profile | None, revoke: Revoke) -> str:
        """Keeps a new one, in place of the one that it `ends`; returns where its refresh token is.

        Raises HolderError if it cannot be kept.
        """
        with self._alone():
            if ends is not None:
                SignIn(ends).end(revoke)
            place = KEYRING if keyring.is_there() else FILE
            return self._keep(_Kept(self._profile.url), issued, resource, None, place)

    def token(
        self,
        refresh: Refresh,
        *,
        resource: str | None,
        scope: str | None = None,
        min_ttl: int = LEAST_SECONDS,
        refused: str | None = None,
    ) -> IssuedToken:
        """A token with at least `min_ttl` seconds left; refreshed by one process at a time.

        refused: one that the issuer does not accept any more. Raises HolderError.
        """
        found = _young(self._read(), resource, scope, min_ttl)
        if found is not None and found.access_token != refused:
            return found
        with self._alone():
            # Another process may have been faster.
            kept = self._read()
            found = _young(kept, resource, scope, min_ttl)
            if found is not None and found.access_token != refused:
                return found
            issued = refresh(self._refresh_token(kept), resource, scope)
            self._keep(kept, issued, resource, scope, self._profile.sign_in or FILE)
            return IssuedToken(
                access_token=issued.access_token,
                token_type=issued.token_type,
                expires_in=issued.expires_in,
                scope=issued.scope,
            )

    def end(self, revoke: Revoke) -> None:
        """Nothing of it is good or kept any more. Raises HolderError, and keeps it, if `revoke` does.

        At the issuer first: what is forgotten here alone could be used by whoever has a copy.
        """
        with self._alone():
            try:
                token = self._refresh_token(self._read())
            except SignInNeeded:
                token = None  # there is nothing that could be ended
            if token is not None:
                revoke(token)
            if self._profile.sign_in == KEYRING:
                # It may not be there, or nobody can get at it.
                with suppress(NoKeyring):
                    keyring.delete(self._account)
            self._path.unlink(missing_ok=True)

    @property
    def place(self) -> str:
        """Where its refresh token is: the file's path, or "keyring"."""
        in_keyring = self._profile.sign_in == KEYRING and self._read().refresh_token is None
        return KEYRING if in_keyring else str(self._path)

    def _refresh_token(self, kept: _Kept) -> str:
        """Raises SignInNeeded."""
        # In the file if it is anywhere newer: a keyring may have refused the latest one.
        found, why = kept.refresh_token, f"its refresh token is not in the {self._profile.sign_in}"
        if found is None and self._profile.sign_in == KEYRING:
            try:
                found = keyring.read(self._account)
            except NoKeyring as error:
                why = f"the keyring has its refresh token, and {error}"
        if found is None:
            raise SignInNeeded("The sign-in is not complete", why, "hourmark login", code="no_refresh_token")
        return found

    def _keep(self, kept: _Kept, issued: Granted, resource: str | None, scope: str | None, place: str) -> str:
        """The refresh token first: without it everything else is worth nothing."""
        if issued.refresh_token is not None:
            if place == KEYRING:
                try:
                    keyring.write(self._account, issued.refresh_token)
                except NoKeyring:
                    place = FILE
            kept.refresh_token = None if place == KEYRING else issued.refresh_token
        kept.tokens[_name(resource, scope)] = {
            "access_token": issued.access_token,
            "scope": issued.scope,
            "issued_at": int(time.time()),
            "expires_at": int(time.time()) + issued.expires_in,
        }
        try:
            private_file.replace(self._path, json.dumps(asdict(kept)) + "\n")
        except OSError as error:
            raise self._not_kept(error) from None
        return place

    def _read(self) -> _Kept:
        """What is kept of this issuer's sign-in; nothing where that is not readable."""
        try:
            kept = json.loads(self._path.read_bytes())
            found = _Kept(kept["issuer"], kept["refresh_token"], dict(kept["tokens"]))
        except (OSError, ValueError, KeyError, TypeError):
            found = _Kept()
        return found if found.issuer == self._profile.url else _Kept(self._profile.url)

    @property
    def _account(self) -> str:
        """One a profile: the keyring is the same for every folder of profiles."""
        return f"{self._profile.url} {self._profile.path}"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time changes what is kept."""
        from filelock import FileLock

        try:
            private_folder(self._path)
            # One object a path: whoever begins a sign-in holds it already when the one before is ended.
            lock = FileLock(self._path.with_suffix(".lock"), mode=0o600, is_singleton=True)
            lock.acquire()
        except OSError as error:
            raise self._not_kept(error) from None
        try:
            yield
        finally:
            lock.release()

    def _not_kept(self, error: OSError) -> HolderError:
        return HolderError(
            "The sign-in cannot be kept",
            f"{self._path}: {error.strerror}",
            "set XDG_CONFIG_HOME to a directory that you can write, or use HOURMARK_TOKEN instead",
            code="sign_in_not_kept",
        )


def _young(kept: _Kept, resource: str | None, scope: str | None, min_ttl: int) -> IssuedToken | None:
    """A token that was kept, unless it is old or has less than `min_ttl` seconds."""
    found = kept.tokens.get(_name(resource, scope))
    if found is None:
        return None
    try:
        issued_at, expires_at = int(str(found["issued_at"])), int(str(found["expires_at"]))
        raw, granted = str(found["access_token"]), str(found["scope"])
    except (KeyError, ValueError):
        return None
    issued = IssuedToken(
        access_token=raw,
        token_type="Bearer",  # noqa: S106 - RFC 6750's name, no secret
        expires_in=expires_at - issued_at,
        scope=granted,
    )
    held, now = Held(issued, issued_at), time.time()
    left = held.left(now)
    return None if now >= held.old_at or left.expires_in < min_ttl else left


def _name(resource: str | None, scope: str | None) -> str:
    return json.dumps([resource, scope])
