"""What a client gets of what a user may: never more than the user, the client, or the consent."""

from __future__ import annotations

from issuer.clients import CONSOLE_ID, OPENID, Client
from issuer.mint import Grant
from issuer.store.user_grants import LoadedGrant
from verifier import Scope


def shared(held: Scope, wanted: Scope, consented: Scope) -> Scope:
    """What the user holds and the client may want and the user consented to.

    Words that are no permission (`openid`) are nobody's right: they come from client and consent alone.
    Raises InvalidPermission if it would not fit a token.
    """
    agreed = wanted & consented
    both = Scope.of((held & agreed).permissions, agreed.words)
    return Scope() if opens_nothing(both) else both


def opens_nothing(scope: Scope) -> bool:
    """Whether a token with it would be worth nothing: it permits nothing, and does not say whose it is."""
    return not scope.permissions and OPENID not in scope.words


def grant_for(loaded: LoadedGrant, client: Client, consented: Scope, *, actor: str | None = None) -> Grant:
    """What the client's tokens are issued from, at this moment.

    actor: who acts, if that is not the client itself. Raises InvalidPermission.
    """
    row = loaded.row
    return Grant(
        subject=loaded.user.name,
        client_id=client.client_id,
        rights=shared(loaded.held, client.scope, consented),
        roles=loaded.roles,
        status_index=row.status_index,
        ends_at=row.expires_at,
        actor=None if client.is_ours else actor or client.client_id,
    )


def grant_of_session(loaded: LoadedGrant) -> Grant:
    """What a session's own tokens are issued from: in it the user acts, with all that the user may."""
    return Grant(
        subject=loaded.user.name,
        client_id=CONSOLE_ID,
        rights=loaded.held,
        roles=loaded.roles,
        status_index=loaded.row.status_index,
        ends_at=loaded.row.expires_at,
    )
