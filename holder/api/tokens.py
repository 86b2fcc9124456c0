"""API tokens: role keys made for a purpose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from holder import answers, reading
from holder.connection import Connection, path


class Tokens(Connection):
    """`owner`: a principal, `user:NAME` or `role:NAME`; None for the credential's own."""

    def presets(self) -> list[answers.Preset]:
        """What API tokens can be made for. No credential is needed to know it."""
        answer = self._send("GET", "/v1/presets")
        found, _ = self._read(answer, lambda json: reading.read_page(answers.Preset, json))
        return found

    def create_token(self, body: Mapping[str, object]) -> answers.ApiTokenWithSecret:
        """A new API token. Its secret is in this answer and nowhere else."""
        return self._ask(answers.ApiTokenWithSecret, "POST", "/v1/tokens", body)

    def tokens(self, *, owner: str | None = None, state: str | None = None) -> Iterator[answers.ApiToken]:
        """API tokens of one owner; `state` is `active` or `expired`, None for both."""
        return self._pages(answers.ApiToken, "/v1/tokens", owner=owner, state=state)

    def api_token(self, token_id: str) -> answers.ApiToken:
        """One API token, by its id."""
        return self._ask(answers.ApiToken, "GET", path("tokens", token_id))

    def renew_token(self, token_id: str, *, grace_seconds: int | None = None) -> answers.ApiTokenWithSecret:
        """A new secret, with the same id and rights; the old one works on for `grace_seconds`."""
        body = {} if grace_seconds is None else {"grace_seconds": grace_seconds}
        return self._ask(answers.ApiTokenWithSecret, "POST", path("tokens", token_id, "renew"), body)

    def delete_token(self, token_id: str) -> answers.DeletedRoleKey:
        """Ends an API token, and the tokens that were got with it."""
        return self._ask(answers.DeletedRoleKey, "DELETE", path("tokens", token_id))
