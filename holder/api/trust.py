"""Trust policies: which outside identities become a role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from holder import answers
from holder.connection import Connection, path


class Trust(Connection):
    """Each by its id, below its role. Clauses are as the API names them; what is left out is not sent."""

    def create_trust_policy(self, role: str, clauses: Mapping[str, object]) -> answers.TrustPolicy:
        """Makes one; dangerous ones are refused."""
        return self._ask(answers.TrustPolicy, "POST", path("roles", role, "trust"), clauses)

    def trust_policies(self, role: str) -> Iterator[answers.TrustPolicy]:
        """Those of the role, with what is doubtful about them."""
        return self._pages(answers.TrustPolicy, path("roles", role, "trust"))

    def delete_trust_policy(self, role: str, policy_id: str) -> answers.DeletedTrustPolicy:
        """Ends one with its tokens."""
        return self._ask(answers.DeletedTrustPolicy, "DELETE", path("roles", role, "trust", policy_id))

    def try_outside_token(self, role: str, token: str) -> answers.TrustVerdict:
        """What would become of the token, clause by clause."""
        body = {"token": token}
        return self._ask(answers.TrustVerdict, "POST", path("roles", role, "trust", "test"), body)

    def lint_trust(self, role: str, clauses: Mapping[str, object]) -> answers.TrustFindings:
        """What is wrong with clauses, before they are made a policy."""
        return self._ask(answers.TrustFindings, "POST", path("roles", role, "trust", "lint"), clauses)
