"""token-exchange (RFC 8693): a token becomes a narrower one, or one with which an app acts for its user.

A token of another issuer becomes that of a role: see `outside_identity`.

Nothing comes out that is more than what went in, and nothing that lives longer.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from sqlmodel import Session
from starlette.requests import Request

from issuer import clients
from issuer.authentication import tickets
from issuer.clients import Client
from issuer.denials import Denial
from issuer.grants import outside_identity
from issuer.grants.audience import asked_audience
from issuer.mint import Grant
from issuer.on_behalf import grant_for
from issuer.outside.token import without_ends
from issuer.service import Service
from issuer.sign_ins import Issued
from issuer.store import consents, principals, status_indices, user_grants
from issuer.store.user_grants import LoadedGrant
from keys import Handle
from keys.secret import ROLE_KEY_PREFIX
from verifier import Token, TokenError, Unavailable, jws, strict_json
from verifier.claims import MAX_ACTORS

NAME = "urn:ietf:params:oauth:grant-type:token-exchange"
_KINDS = ("access_token", "jwt", "id_token")
ACCESS_TOKEN, JWT, ID_TOKEN = (f"urn:ietf:params:oauth:token-type:{kind}" for kind in _KINDS)
_TYPES = {
    "subject_token_type": (ACCESS_TOKEN, JWT),
    "actor_token_type": (ACCESS_TOKEN, JWT),
    "requested_token_type": (ACCESS_TOKEN,),
}
_OUTSIDE_TYPES = {
    "subject_token_type": (ACCESS_TOKEN, JWT, ID_TOKEN),
    "actor_token_type": (),
    "requested_token_type": (ACCESS_TOKEN,),
}


async def grant(service: Service, request: Request, form: Mapping[str, str]) -> Issued:
    if _is_outside(service, form.get("subject_token", "")):
        return await _of_outside_token(service, request, form)
    return await service.once_more(lambda: _exchange(service, request, form))


async def _exchange(service: Service, request: Request, form: Mapping[str, str]) -> Issued:
    """Raises Denial, InvalidCredential, Ended."""
    asker: Client | Grant
    if tickets.is_presented(request):
        asker = await tickets.redeem(service, request, tickets.presented(request), int(time.time()))
    else:
        asker = await service.apps.app_or_role_key(request, form)
    _check_form(form, _TYPES)
    subject = _verify(service, form, "subject_token")
    if "actor_token" in form and not await _is_own(service, asker, _verify(service, form, "actor_token")):
        raise Denial("invalid_request", "the actor token is another client's than the one that asks")
    is_own = await _is_own(service, asker, subject)
    narrowed = _own(asker, subject) if is_own else await _on_behalf(service, asker, subject)
    behind = await service.role_keys.audiences_behind(subject.client_id)
    audience = _audience(service, form, asker, subject, behind, is_own=is_own)
    if is_own and audience not in subject.audience and await _is_handed_on(service, subject):
        raise Denial(
            "invalid_target", "what was got on behalf of a user stays: exchange the user's token again"
        )
    minted = service.mint.mint(narrowed, audience, form.get("scope"), int(time.time()))
    return Issued(minted, issued_token_type=ACCESS_TOKEN)


def _is_outside(service: Service, text: str) -> bool:
    """Whether it says that another issuer made it."""
    try:
        issuer = strict_json.parse_object(jws.parse(without_ends(text)).payload).get("iss")
    except (TokenError, ValueError):
        return False
    return isinstance(issuer, str) and issuer != service.settings.issuer_url


async def _of_outside_token(service: Service, request: Request, form: Mapping[str, str]) -> Issued:
    """Raises Denial."""
    _check_form(form, _OUTSIDE_TYPES)
    minted = await outside_identity.issue(service, request, form, form["subject_token"], "invalid_request")
    return Issued(minted, issued_token_type=ACCESS_TOKEN)


def _check_form(form: Mapping[str, str], types: Mapping[str, tuple[str, ...]]) -> None:
    """RFC 8693 section 2.1. Raises Denial."""
    for name in ("subject_token", "subject_token_type"):
        if name not in form:
            raise Denial("invalid_request", f"{name} is missing")
    if ("actor_token" in form) != ("actor_token_type" in form):
        raise Denial("invalid_request", "actor_token and actor_token_type come together")
    for name, accepted in types.items():
        if name in form and form[name] not in accepted:
            raise Denial(
                "invalid_request", f"{name} is {' or '.join(accepted) or 'not for tokens of others'}"
            )


async def _is_own(service: Service, asker: Client | Grant, token: Token) -> bool:
    """Whether it was issued to whoever asks: a whole role key counts as the app that its role is."""
    if token.client_id == asker.client_id:
        return True
    if isinstance(asker, Grant) and asker.is_narrowed:
        return False
    app = await service.apps.app_of(asker)
    return app is not None and app.client_id == token.client_id


def _ends_at(asker: Client | Grant, subject: Token) -> int:
    """Nothing outlives the token that it came from, nor the credential that it was got with."""
    ends_at = int(subject.expires_at)
    return ends_at if isinstance(asker, Client) or asker.ends_at is None else min(ends_at, asker.ends_at)


def _audience(
    service: Service,
    form: Mapping[str, str],
    asker: Client | Grant,
    subject: Token,
    behind: tuple[str, ...],
    *,
    is_own: bool,
) -> str:
    """A client's own token stays with its audience, unless another one is asked for.

    What the subject's role key is for (`behind`) bounds what an app gets by it. Of an app's token nobody can
    tell afterwards: so a key for some services leads no app to the issuer, where more than one is served.

    A public client proves nothing, so that whichever service was given its token could ask in its name: it
    gets another audience only for a token that no service but this one was given. Raises Denial.
    """
    within = asker.audiences if isinstance(asker, Grant) else ()
    if not is_own:
        default = subject.audience[0] if behind else None
        audience = asked_audience(service.settings, form, default, within, behind)
        if behind and audience == service.settings.issuer_url:
            raise Denial(
                "invalid_target", "the subject token's API token is for some services: name one as `resource`"
            )
        return audience
    audience = asked_audience(service.settings, form, subject.audience[0], within, behind)
    is_public = isinstance(asker, Client) and asker.is_public
    if is_public and not {audience, service.settings.issuer_url} & set(subject.audience):
        raise Denial(
            "invalid_target", "a public app's token is for another service: sign in or refresh for it"
        )
    return audience


def _verify(service: Service, form: Mapping[str, str], name: str) -> Token:
    """RFC 8693 section 2.2.2: a token that is no good is an invalid request."""
    _refuse_secret(name, form[name])
    try:
        return service.token_verifier.verify(form[name])
    except Unavailable as error:
        raise Denial("temporarily_unavailable", error.detail) from error
    except TokenError as error:
        said = f"is no JWT of this issuer ({error.detail})" if error.code == "malformed" else error.detail
        raise Denial("invalid_request", f"{name}: {said}") from error


def _refuse_secret(name: str, text: str) -> None:
    """A long-lived secret in place of a token: it authenticates, and a token comes of it. Raises Denial."""
    if text.startswith(ROLE_KEY_PREFIX):
        raise Denial(
            "invalid_request",
            f"{name} is a role key: get a token for it first, by grant_type=client_credentials",
        )
    if text.startswith(Handle.JOB_TICKET):
        raise Denial("invalid_request", f"{name} is a job's ticket: GET /v1/token gives a token for it first")


def _own(asker: Client | Grant, subject: Token) -> Grant:
    """A client's own token, to be narrowed, or for another service."""
    return Grant(
        subject=subject.subject,
        client_id=subject.client_id,
        rights=subject.scope,
        roles={},
        status_index=-1 if subject.status is None else subject.status.index,
        ends_at=_ends_at(asker, subject),
        actor=subject.actor,
        earlier_actors=subject.earlier_actors,
        may_act=subject.may_act,
        job=subject.job,
        labels=subject.labels,
    )


async def _is_handed_on(service: Service, subject: Token) -> bool:
    """Whether an app got it by a token of its user's, whose services nobody could tell by now: it has the
    consent's index, and what comes of a sign-in has the sign-in's.
    """
    if subject.actor is None or subject.status is None:
        return False
    index = subject.status.index

    def work(session: Session) -> bool:
        user = principals.find(session, subject.subject)
        row = None if user is None else consents.find(session, user.id, subject.client_id)
        return row is not None and row.status_index == index

    return await service.read(work)


async def _on_behalf(service: Service, asker: Client | Grant, subject: Token) -> Grant:
    """Whoever asks acts for the subject, who has agreed. Raises Denial."""

    def work(session: Session) -> tuple[Client, LoadedGrant | None]:
        client = _app_of(session, asker)
        # What ends a credential gives the consents fresh indices: with one that has ended nobody gets these.
        status_indices.require_in_force(session, asker.status_index, int(time.time()))
        user = principals.find(session, subject.subject)
        row = None if user is None else consents.find(session, user.id, client.client_id)
        loaded = None if row is None else user_grants.load(session, row)
        session.expunge_all()
        return client, loaded

    client, loaded = await service.read(work)
    if loaded is None:
        raise Denial("invalid_grant", f"{subject.subject} has not agreed that {client.name} acts for it")
    if isinstance(asker, Grant) and asker.is_narrowed:
        raise Denial("unauthorized_client", f"{asker.client_id} was narrowed: a whole key of the role may")
    acting = asker.subject if isinstance(asker, Grant) else asker.client_id
    if subject.may_act not in (None, acting):
        raise Denial("invalid_request", "the subject token says that another party may act (may_act)")
    earlier = () if subject.actor is None else (subject.actor, *subject.earlier_actors)
    if len(earlier) >= MAX_ACTORS:
        raise Denial("invalid_request", f"the subject token went through {MAX_ACTORS} actors already")
    whole = grant_for(loaded, client, consents.scope_of(loaded.row), actor=acting)
    return Grant(
        subject=whole.subject,
        client_id=whole.client_id,
        rights=whole.rights & subject.scope,
        roles=whole.roles,
        status_index=whole.status_index,
        ends_at=_ends_at(asker, subject),
        actor=whole.actor,
        earlier_actors=earlier,
    )


def _app_of(session: Session, asker: Client | Grant) -> Client:
    """The app that acts: itself, or the one that the role of the credential is. Raises Denial."""
    if isinstance(asker, Client):
        if asker.is_public:
            raise Denial("unauthorized_client", "an app that acts for users proves who it is")
        return asker
    app = clients.of_role(session, asker.subject)
    if app is None:
        raise Denial(
            "unauthorized_client",
            f"{asker.subject} is no app: register one with this role, or exchange a token of your own",
        )
    return app
