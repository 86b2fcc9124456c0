"""What can go wrong for a holder: what happened, why, and the command that helps.

The classes are the kinds that a caller acts on (sign in, ask for a right, wait); `code` names the exact case.
"""

from __future__ import annotations

from typing import Self


class HolderError(Exception):
    """The root. None of its texts ever holds a secret."""

    def __init__(
        self,
        what: str,
        why: str = "",
        hint: str = "",
        *,
        code: str,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{what}: {why}" if why else what)
        self.what = what
        self.why = why
        self.hint = hint
        """The command that helps. Where none is given, the failed command's help becomes it."""
        self.code = code
        """Stable: the issuer's own, or one of ours."""
        self.request_id = request_id
        """What the issuer's log calls the request, if there was one."""
        self.retry_after = retry_after
        """Seconds after which the issuer wants to be asked again, if it said so."""

    @property
    def is_ours(self) -> bool:
        """No issuer has said it."""
        return self.request_id is None

    def again(self, retry_after: float) -> Self:
        """The same, for whoever asks again: `retry_after` seconds are left."""
        error = type(self).__new__(type(self))
        error.args = self.args
        vars(error).update(vars(self), retry_after=retry_after)
        return error


class UsageError(HolderError):
    """A command, an option or a setting that cannot mean anything."""

    def __init__(self, what: str, why: str = "", hint: str = "", *, code: str = "usage") -> None:
        super().__init__(what, why, hint, code=code)


class SignInNeeded(HolderError):
    """There is no credential, or it is no good (any more)."""


class NotPermitted(HolderError):
    """A good credential that may not do this."""


class Unreachable(HolderError):
    """The issuer did not answer, or cannot serve at the moment."""


class Throttled(HolderError):
    """The issuer was asked too often, by this credential or from this place."""


class Interrupted(HolderError):
    """The user does not want it any more."""

    def __init__(self) -> None:
        super().__init__("Interrupted", code="interrupted")
