"""A user's sign-in, kept between commands: a refresh token, and the tokens that it gave, until they are old.

The refresh token is in the system's keyring, else in a file of the profile, 0600. Each is good once: whoever
refreshes holds a lock, and the answer is written down before anything else happens. Killed in between, the
command has lost the sign-in: the old token is used up, and the issuer ends everything when it comes again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from holder.answers import Granted, IssuedToken
from holder.errors import SignInNeeded
from holder.profile import Profile, replace_file

KEYRING, FILE = "keyring", "file"
_SERVICE = "hourmark"
_OLD_AFTER = 0.8
"""Of its life."""
LEAST_SECONDS = 60
"""A token with less is not handed out: its holder has something to do with it."""
Refresh = Callable[[str, str | None, str | None], Granted]
"""Refresh token, resource, scope -> the next token."""


@dataclass(slots=True)
class _Kept:
    """What the file holds."""

    refresh_token: str | None = field(default=None, repr=False)
    """None if it is in the keyring."""
    tokens: dict[str, dict[str, object]] = field(default_factory=dict, repr=False)
    """By audience and scope."""


class SignIn:
    """The sign-in of one profile."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._path = profile.path.with_suffix(".sign-in")

    def begin(self, issued: Granted, resource: str | None) -> str:
        """Keeps a new one; returns where its refresh token is."""
        return self._keep(_Kept(), issued, resource, None, KEYRING if _has_keyring() else FILE)

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
        from filelock import FileLock

        with FileLock(self._path.with_suffix(".lock"), mode=0o600):
            # Another process may have been faster.
            kept = self._read()
            found = _young(kept, resource, scope, min_ttl)
            if found is not None and found.access_token != refused:
                return found
            issued = refresh(self.refresh_token(kept), resource, scope)
            self._keep(kept, issued, resource, scope, self._profile.sign_in or FILE)
            return IssuedToken(
                access_token=issued.access_token,
                token_type=issued.token_type,
                expires_in=issued.expires_in,
                scope=issued.scope,
            )

    def refresh_token(self, kept: _Kept | None = None) -> str:
        """Raises SignInNeeded."""
        kept = kept or self._read()
        # In the file if it is anywhere newer: a keyring may have refused the latest one.
        found = kept.refresh_token
        if found is None and self._profile.sign_in == KEYRING:
            found = self._from_keyring()
        if found is None:
            raise SignInNeeded(
                "The sign-in is not complete",
                f"its refresh token is not in the {self._profile.sign_in}",
                "hourmark login",
                code="no_refresh_token",
            )
        return found

    def forget(self) -> None:
        """Nothing of it is kept any more."""
        if self._profile.sign_in == KEYRING:
            import keyring
            from keyring.errors import KeyringError

            # It may not be there, or nobody can get at it.
            with suppress(KeyringError):
                keyring.delete_password(_SERVICE, self._account)
        self._path.unlink(missing_ok=True)

    def _keep(self, kept: _Kept, issued: Granted, resource: str | None, scope: str | None, place: str) -> str:
        """The refresh token first: without it everything else is worth nothing."""
        if issued.refresh_token is not None:
            if place == KEYRING and not self._to_keyring(issued.refresh_token):
                place = FILE
            kept.refresh_token = None if place == KEYRING else issued.refresh_token
        kept.tokens[_name(resource, scope)] = {
            "access_token": issued.access_token,
            "scope": issued.scope,
            "issued_at": int(time.time()),
            "expires_at": int(time.time()) + issued.expires_in,
        }
        replace_file(self._path, json.dumps(asdict(kept)) + "\n")
        return place

    def _read(self) -> _Kept:
        try:
            kept = json.loads(self._path.read_bytes())
            return _Kept(kept["refresh_token"], dict(kept["tokens"]))
        except (OSError, ValueError, KeyError, TypeError):
            return _Kept()

    @property
    def _account(self) -> str:
        return f"{self._profile.url} {self._profile.name}"

    def _to_keyring(self, text: str) -> bool:
        import keyring
        from keyring.errors import KeyringError

        try:
            keyring.set_password(_SERVICE, self._account, text)
        except (KeyringError, OSError):
            return False
        return True

    def _from_keyring(self) -> str | None:
        import keyring
        from keyring.errors import KeyringError

        try:
            return keyring.get_password(_SERVICE, self._account)
        except (KeyringError, OSError):
            return None

    @property
    def path(self) -> Path:
        """The file beside the profile."""
        return self._path


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
    now = time.time()
    is_old = now >= issued_at + _OLD_AFTER * (expires_at - issued_at)
    if is_old or expires_at - now < min_ttl:
        return None
    return IssuedToken(
        access_token=raw,
        token_type="Bearer",  # noqa: S106 - RFC 6750's name, no secret
        expires_in=int(expires_at - now),
        scope=granted,
    )


def _name(resource: str | None, scope: str | None) -> str:
    return json.dumps([resource, scope])


def _has_keyring() -> bool:
    """Whether there is one that keeps secrets."""
    try:
        import keyring

        return keyring.get_keyring().priority > 0
    except Exception:  # noqa: BLE001 - a desktop's service can fail in any way; the file is there
        return False
