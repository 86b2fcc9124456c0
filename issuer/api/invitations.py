"""Set-up links of users: make one. It is shown once, and found by its hash."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from issuer import rfc3339
from issuer.api.operation import Answer, Body, Call, Operation
from issuer.denials import Denial
from issuer.signing_in import invitations
from issuer.store import rights, users
from issuer.store.database import Transaction


class NewInvitation(Body):
    expires_in: Annotated[int, Field(ge=60, le=invitations.MAX_LIFETIME)] = invitations.LIFETIME
    """Seconds."""


class Invitation(Answer):
    user: str
    url: str
    """Whoever opens it first sets up how the user signs in."""
    expires_at: rfc3339.Written


async def create(call: Call) -> Invitation:
    """Who has the link becomes the user: nobody makes one for a user who may more than they do."""
    name = call.path("user")
    call.caller.require("user:invite", name)
    call.caller.require_services()
    if call.caller.is_on_behalf:
        raise Denial("not_permitted", "an app that acts for somebody makes nobody a set-up link")
    service, seconds = call.service, call.body.expires_in

    def work(tx: Transaction) -> Invitation:
        user = users.get(tx.session, name).principal
        call.caller.require_within(rights.held(tx.session, user), "the user")
        hash_key = service.credentials.hash_key.key
        url = invitations.invite(tx, user, hash_key, service.settings.issuer_url, seconds=seconds)
        return Invitation(user=name, url=url, expires_at=rfc3339.write(tx.now + seconds))

    return await call.change(work)


OPERATIONS = (
    Operation(
        method="POST",
        path="/v1/users/{user}/invitations",
        summary="Make a link by which a user sets up how to sign in, once; earlier ones end",
        permission="user:invite@USER",
        handler=create,
        body=NewInvitation,
        answer=Invitation,
        status=201,
        refusals=("not_found", "not_permitted"),
    ),
)
