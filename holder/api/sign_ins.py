"""Where users are signed in."""

from __future__ import annotations

from collections.abc import Iterator

from holder import answers
from holder.connection import Connection, path


class SignIns(Connection):
    """In browsers and at clients; nobody needs a permission for their own."""

    def sign_ins(self, user: str) -> Iterator[answers.SignIn]:
        """The newest first."""
        return self._pages(answers.SignIn, path("users", user, "sign-ins"))

    def sign_out(self, user: str, sign_in: str | None = None) -> answers.SignedOut:
        """Ends one, by its id, or all of them, this one too if it is the user's."""
        one = () if sign_in is None else (sign_in,)
        return self._ask(answers.SignedOut, "DELETE", path("users", user, "sign-ins", *one))
