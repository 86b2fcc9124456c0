"""Asking the user, and what follows from a yes: a consent that is remembered, and a code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from issuer import plain_words, redirect_uris
from issuer.authorization.request import AuthorizationRequest
from issuer.browser import Browser, BrowserSession
from issuer.clients import OPENID, Client
from issuer.console.pages import page
from issuer.denials import Denial
from issuer.service import Service
from issuer.settings import Settings
from issuer.store import authorization_codes, consents, rights
from issuer.store.database import Transaction
from issuer.store.tables import AuthorizationCode, Principal, UserGrant
from issuer.store.user_grants import Authentication, Place
from verifier import InvalidPermission, Scope


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing that a client wants, in words."""

    words: str
    spelling: str
    is_held: bool
    """Whether the user may do that at all, now."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the user said to the page."""

    allows: bool
    scope: Scope
    """What the page showed: the client may be registered for more by now."""


def read_said(form: Mapping[str, str]) -> Said:
    """Raises Denial."""
    decision = form.get("decision")
    if decision not in ("allow", "deny"):
        raise Denial("invalid_request", "the form says neither allow nor deny")
    try:
        return Said(decision == "allow", Scope.parse(form.get("scope", "")))
    except InvalidPermission as error:
        raise Denial("invalid_request", str(error)) from error


def within(scope: Scope, held: Scope) -> Scope:
    """What of it a user can let a client have: nobody consents to more than they hold."""
    return Scope.of((scope & held).permissions, scope.words)


def is_needed(asked: AuthorizationRequest, held: Scope, known: Scope) -> bool:
    """Whether the user, who holds `held`, has to be asked.

    A program on the user's computer proves nothing about itself, so that it is asked about each time
    (RFC 8252 section 8.6).
    """
    client = asked.source.client
    poses = client.is_ours or (client.is_public and redirect_uris.is_native(asked.source.redirect_uri))
    return poses or "consent" in asked.prompts or not within(asked.scope, held) <= known


def ask(
    browser: Browser,
    asked: AuthorizationRequest,
    settings: Settings,
    *,
    held: Scope,
    known: Scope,
    query: str,
) -> Response:
    """The page. What was agreed to before is shown apart from what is new."""
    client = asked.source.client
    new = asked.scope.beyond(known) if known else asked.scope
    return page(
        browser,
        "consent.html",
        form_targets=[asked.source.redirect_uri],
        client=client,
        place=redirect_uris.place(asked.source.redirect_uri),
        is_native=redirect_uris.is_native(asked.source.redirect_uri),
        request=query,
        scope=asked.scope,
        new=wishes(new, held, settings),
        before=wishes(known, held, settings) if known and not client.is_ours else [],
    )


async def give_code(service: Service, session: BrowserSession, asked: AuthorizationRequest) -> str:
    """Remembers what was agreed to, and gives the code."""

    def work(tx: Transaction) -> str:
        user = tx.session.get_one(Principal, session.user_id)
        row = tx.session.get_one(UserGrant, session.grant_id)
        remember(tx, user, asked.source.client, asked.scope, row)
        code = AuthorizationCode(
            hash=b"",
            client_id=asked.source.client.client_id,
            user_id=user.id,
            session_id=session.grant_id,
            redirect_uri=asked.source.redirect_uri,
            scope=str(asked.scope),
            audience=asked.audience,
            code_challenge=asked.code_challenge,
            nonce=asked.nonce,
            authenticated_at=session.authentication.at,
            methods=" ".join(session.authentication.methods),
            expires_at=0,
        )
        return authorization_codes.add(tx, code, service.credentials.hash_key.key)

    return await service.change(session.user, session.status_index, work)


def remember(tx: Transaction, user: Principal, client: Client, scope: Scope, session: UserGrant) -> None:
    """Of the issuer's own clients nothing: they are the user, and ask each time."""
    if not client.is_ours:
        consents.give(
            tx,
            user,
            client.client_id,
            within(scope, rights.held(tx.session, user)),
            authentication=Authentication(session.authenticated_at, tuple(session.methods.split())),
            place=Place(session.address, session.user_agent),
        )


def wishes(scope: Scope, held: Scope, settings: Settings) -> list[Wish]:
    """The permissions first; `openid` says no more than the words behind it."""
    permissions = [
        Wish(plain_words.of_permission(each), str(each), bool(Scope((each,)) & held))
        for each in scope.permissions
    ]
    told = [word for word in scope.words if word != OPENID or scope.words == (OPENID,)]
    return permissions + [
        Wish(plain_words.of_word(word, settings.session_lifetime), word, True) for word in told
    ]
