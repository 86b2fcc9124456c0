"""Roles, their keys and their policies."""

from __future__ import annotations

from collections.abc import Iterator

from holder import answers
from holder.connection import Connection, path


class Roles(Connection):
    """What may be done, by machines and by users who hold it."""

    def create_role(self, name: str) -> answers.Role:
        """A new role. Its name can never be used again once it is deleted."""
        return self._ask(answers.Role, "POST", "/v1/roles", {"name": name})

    def roles(self, *, prefix: str | None = None) -> Iterator[answers.Role]:
        """The roles that the credential may see, or those of them whose names begin with `prefix`."""
        return self._pages(answers.Role, "/v1/roles", prefix=prefix)

    def role(self, name: str) -> answers.Role:
        """One role."""
        return self._ask(answers.Role, "GET", path("roles", name))

    def delete_role(self, name: str) -> answers.DeletedRole:
        """Ends a role with its keys and their tokens."""
        return self._ask(answers.DeletedRole, "DELETE", path("roles", name))

    def create_role_key(
        self, role: str, *, name: str | None = None, scope: str | None = None, expires_at: str | None = None
    ) -> answers.NewRoleKey:
        """A new role key. Its secret is in this answer and nowhere else."""
        asked = {"name": name, "scope": scope, "expires_at": expires_at}
        body = {member: value for member, value in asked.items() if value is not None}
        return self._ask(answers.NewRoleKey, "POST", path("roles", role, "keys"), body)

    def role_keys(self, role: str, *, state: str | None = None) -> Iterator[answers.ListedRoleKey]:
        """The keys of a role; `state` is `active` or `expired`, None for both."""
        return self._pages(answers.ListedRoleKey, path("roles", role, "keys"), state=state)

    def renew_role_key(
        self, role: str, access: str, *, grace_seconds: int | None = None
    ) -> answers.NewRoleKey:
        """A new secret for the same access id; the old one works on for `grace_seconds`."""
        body = {} if grace_seconds is None else {"grace_seconds": grace_seconds}
        return self._ask(answers.NewRoleKey, "POST", path("roles", role, "keys", access, "renew"), body)

    def delete_role_key(self, role: str, access: str) -> answers.DeletedRoleKey:
        """Ends a role key and its tokens."""
        return self._ask(answers.DeletedRoleKey, "DELETE", path("roles", role, "keys", access))

    def create_policy(self, role: str, permission: str) -> answers.Policy:
        """Gives a role one more permission."""
        body = {"permission": permission}
        return self._ask(answers.Policy, "POST", path("roles", role, "policies"), body)

    def policies(self, role: str) -> Iterator[answers.Policy]:
        """The permissions of a role."""
        return self._pages(answers.Policy, path("roles", role, "policies"))

    def delete_policy(self, role: str, policy_id: int) -> answers.DeletedPolicy:
        """Takes a permission from a role, and from all its tokens."""
        return self._ask(answers.DeletedPolicy, "DELETE", path("roles", role, "policies", str(policy_id)))
