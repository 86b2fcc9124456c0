"""The issuer's HTTP API, typed. Every method may raise HolderError and nothing else."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote_plus

from holder import answers, reading
from holder.api.apps import Apps
from holder.api.consents import Consents
from holder.api.jobs import Jobs
from holder.api.roles import Roles
from holder.api.sign_ins import SignIns
from holder.api.tokens import Tokens
from holder.api.trust import Trust
from holder.api.users import Users
from holder.credentials import Ticket
from keys import RoleKey


class Issuer(Roles, Trust, Users, SignIns, Apps, Consents, Tokens, Jobs):
    """All that a holder asks of one."""

    def me(self) -> answers.Me:
        """Who the credential is."""
        return self._ask(answers.Me, "GET", "/v1/me")

    def exchange(
        self, role_key: RoleKey, *, resource: str | None = None, scope: str | None = None
    ) -> answers.IssuedToken:
        """A token for a role key (RFC 6749 section 4.4; `resource` is the audience, RFC 8707)."""
        # Both halves are form-encoded before they are joined (RFC 6749 section 2.3.1).
        pair = f"{quote_plus(role_key.access)}:{quote_plus(role_key.secret)}"
        asked = {"grant_type": "client_credentials", "resource": resource, "scope": scope}
        answer = self._send(
            "POST",
            "/v1/token",
            authorization="Basic " + b64encode(pair.encode()).decode(),
            data={name: value for name, value in asked.items() if value is not None},
        )
        return self._read(answer, lambda json: reading.read(answers.IssuedToken, json))

    def exchange_ticket(
        self, ticket: Ticket, *, resource: str | None = None, scope: str | None = None
    ) -> answers.IssuedToken:
        """A token for a job's ticket."""
        asked = {"resource": resource, "scope": scope}
        answer = self._send(
            "GET",
            "/v1/token",
            authorization=f"Bearer {ticket.text}",
            params={name: value for name, value in asked.items() if value is not None},
        )
        return self._read(answer, lambda json: reading.read(answers.IssuedToken, json))

    def end_own_job(self, ticket: Ticket) -> None:
        """The job whose ticket it is ends, with the ticket and its tokens (RFC 7009)."""
        data = {"token": ticket.text}
        self._send("POST", "/v1/revoke", authorization=f"Bearer {ticket.text}", data=data)

    def end_tokens_of_job(self, ticket: Ticket) -> None:
        """All that the ticket got so far (RFC 7009); the job goes on."""
        token = self.exchange_ticket(ticket).access_token  # they end together, whichever is named
        self._send("POST", "/v1/revoke", authorization=f"Bearer {ticket.text}", data={"token": token})

    def jwks(self) -> bytes:
        """The public keys, as they came."""
        return self._send("GET", "/.well-known/jwks.json").content

    def status_list(self, number: int) -> bytes:
        """A status list, as it came."""
        return self._send("GET", f"/status/{number}", accept="application/statuslist+jwt").content
