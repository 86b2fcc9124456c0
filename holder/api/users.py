"""Users, and the roles that they hold."""

from __future__ import annotations

from collections.abc import Iterator

from holder import answers
from holder.connection import Connection, path


class Users(Connection):
    """People."""

    def create_user(
        self, name: str, *, display_name: str | None = None, email: str | None = None
    ) -> answers.User:
        """A new user, who holds no role yet. The name can never be used again once the user is deleted."""
        asked = {"name": name, "display_name": display_name, "email": email}
        body = {member: value for member, value in asked.items() if value is not None}
        return self._ask(answers.User, "POST", "/v1/users", body)

    def users(self, *, prefix: str | None = None, state: str | None = None) -> Iterator[answers.User]:
        """The users that the credential may see; `state` is `active` or `disabled`, None for both."""
        return self._pages(answers.User, "/v1/users", prefix=prefix, state=state)

    def user(self, name: str) -> answers.User:
        """One user."""
        return self._ask(answers.User, "GET", path("users", name))

    def disable_user(self, name: str) -> answers.User:
        """Nothing of this user opens anything until the user is enabled."""
        return self._ask(answers.User, "POST", path("users", name, "disable"))

    def enable_user(self, name: str) -> answers.User:
        """Keys of this user work again."""
        return self._ask(answers.User, "POST", path("users", name, "enable"))

    def delete_user(self, name: str) -> answers.DeletedUser:
        """Ends a user with all keys and their tokens."""
        return self._ask(answers.DeletedUser, "DELETE", path("users", name))

    def invite_user(self, name: str, *, seconds: int | None = None) -> answers.Invitation:
        """A link by which the user sets up how to sign in, once; it is in this answer and nowhere else."""
        body = {} if seconds is None else {"expires_in": seconds}
        return self._ask(answers.Invitation, "POST", path("users", name, "invitations"), body)

    def give_role(self, user: str, role: str) -> answers.Membership:
        """The user may what the role may, from now on."""
        return self._ask(answers.Membership, "POST", path("users", user, "roles"), {"role": role})

    def roles_of(self, user: str) -> Iterator[answers.Membership]:
        """The roles that a user holds."""
        return self._pages(answers.Membership, path("users", user, "roles"))

    def take_role(self, user: str, role: str) -> answers.TakenRole:
        """Takes a role from a user, and from all tokens of the user."""
        return self._ask(answers.TakenRole, "DELETE", path("users", user, "roles", role))
