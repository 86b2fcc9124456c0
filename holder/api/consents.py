"""What users let apps have."""

from __future__ import annotations

from collections.abc import Iterator

from holder import answers
from holder.connection import Connection, path


class Consents(Connection):
    """`user`: whose; None for those of the credential's own user, who needs no permission for it."""

    def consents(self, *, user: str | None = None) -> Iterator[answers.Consent]:
        """The newest first."""
        return self._pages(answers.Consent, "/v1/consents", user=user)

    def withdraw_consent(self, consent_id: str, *, user: str | None = None) -> answers.WithdrawnConsent:
        """Ends it, by its id, and every sign-in of the user at the app, with their tokens."""
        return self._ask(answers.WithdrawnConsent, "DELETE", path("consents", consent_id), user=user)
