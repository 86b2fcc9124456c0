"""Signing in at another provider, and linking an account there to a user here."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from issuer import cookie_header
from issuer.browser import Browser, browser_of, forget, keep, read_page_form, see_other
from issuer.console.pages import own_path, page, page_row
from issuer.denials import Denial
from issuer.service import Service
from issuer.signing_in import sessions, upstream
from issuer.signing_in.upstream import Attempt, Identity, UpstreamRefused, UpstreamUnavailable
from issuer.store import names, upstream_identities, users
from issuer.store.database import Transaction
from issuer.store.refusals import Conflict
from issuer.store.tables import Principal
from issuer.store.users import User

if TYPE_CHECKING:
    from issuer.signing_in.upstream_client import Upstream

COOKIE = "__Host-hourmark-upstream"


async def get_begin(service: Service, request: Request) -> Response:
    """To the provider. Who is signed in already comes to prove it again, or as somebody else."""
    browser = await browser_of(service, request)
    then = own_path(request.query_params.get("next"))
    url, sealed = await _begin(service, request, then, links=None, is_anew=browser.session is not None)
    return _keep_attempt(see_other(url), sealed)


async def post_link(service: Service, request: Request) -> Response:
    """To the provider, for an account there that is to be linked to the user who is signed in.

    By a page that leads on: browsers hold every redirect after a form against its page's policy, and where a
    provider sends people is its own business.
    """
    browser, _ = await read_page_form(service, request)
    session = browser.require_session()
    if not sessions.is_recent(session):
        return see_other("/login?next=/")
    url, sealed = await _begin(service, request, "/", links=session.user_id, is_anew=True)
    label = _provider(service, request).label
    return _keep_attempt(page(browser, "upstream.html", provider=label, url=url), sealed)


async def get_callback(service: Service, request: Request) -> Response:
    """Back from the provider (OpenID Connect Core section 3.1.2.5)."""
    provider = _provider(service, request)
    browser = await browser_of(service, request)
    try:
        attempt = upstream.unseal(
            cookie_header.the_only(request, COOKIE), provider.name, service.credentials.hash_key.key
        )
        identity = await provider.finish(request, attempt)
    except UpstreamRefused as error:
        raise Denial(
            "not_permitted",
            f"signing in at {provider.label} did not work ({error}): begin again from the start page, or "
            "sign in another way",
        ) from error
    except UpstreamUnavailable as error:
        raise _unavailable(provider) from error
    if attempt.is_anew and identity.authenticated_at is None:
        raise Denial(
            "not_permitted",
            f"{provider.label} does not tell when you signed in there (auth_time): nobody knows whether "
            "it was just now: sign in here with a password or a passkey, or have its operator tell it",
        )
    if attempt.links is None:
        user_id = await _user_of(service, provider, identity)
        begun = await sessions.begin(
            service,
            request,
            browser,
            user_id=user_id,
            methods=identity.methods,
            # Long ago where nobody knows: it proves nothing to who asks how long.
            authenticated_at=identity.authenticated_at or 0,
            then=attempt.then,
        )
        if begun is None:
            raise Denial("not_permitted", "this user is disabled: ask an administrator")
        answer = begun
    else:
        answer = await _link(service, browser, identity, attempt.links)
    forget(answer, COOKIE)
    return answer


async def _begin(
    service: Service, request: Request, then: str, *, links: int | None, is_anew: bool
) -> tuple[str, str]:
    """Where to go, and the attempt for the browser to keep. Raises Denial."""
    provider = _provider(service, request)
    attempt = Attempt(provider.name, then, links, is_anew, int(time.time()), {})
    try:
        url = await provider.begin(request, attempt)
    except UpstreamUnavailable as error:
        raise _unavailable(provider) from error
    return url, upstream.seal(attempt, service.credentials.hash_key.key)


def _keep_attempt(answer: Response, sealed: str) -> Response:
    keep(answer, COOKIE, sealed, seconds=upstream.LIFETIME)
    return answer


async def _user_of(service: Service, provider: Upstream, identity: Identity) -> int:
    """Who it is here, with the roles that follow from groups there. Raises Denial."""

    def work(tx: Transaction) -> int:
        user = upstream_identities.find_user(tx.session, identity.issuer, identity.subject)
        user = user or _new_user(tx, provider, identity)
        upstream_identities.follow_groups(
            tx, user, provider.name, provider.provider.roles_of(identity.groups)
        )
        return user.principal.id

    return await service.write(f"upstream:{provider.name}", work)


def _new_user(tx: Transaction, provider: Upstream, identity: Identity) -> User:
    """Raises Denial for somebody whom nobody has invited."""
    if not provider.provider.creates_users:
        raise Denial(
            "not_permitted",
            f"no user here is linked to that account at {provider.label}: sign in with your set-up link or "
            "password, and link it on your account page",
        )
    name, display_name = identity.claims.get("preferred_username"), identity.claims.get("name")
    try:
        user = users.create(
            tx,
            names.check_user_name(name if isinstance(name, str) else ""),
            display_name=display_name[:200] if isinstance(display_name, str) else "",
        )
    except (names.InvalidName, Conflict) as error:
        raise Denial(
            "not_permitted",
            f"no user can be made for that account: {error}. If you are that user, sign in here and link the "
            "account on your account page; else ask an administrator",
        ) from error
    upstream_identities.link(tx, user.principal, identity.issuer, identity.subject)
    return user


async def _link(service: Service, browser: Browser, identity: Identity, user_id: int) -> Response:
    session = browser.require_session()
    if session.user_id != user_id:
        raise Denial("not_permitted", "somebody else has signed in here meanwhile: begin again")

    def work(tx: Transaction) -> None:
        user = tx.session.get_one(Principal, user_id)
        upstream_identities.link(tx, user, identity.issuer, identity.subject)

    await service.change(session.user, session.status_index, work)
    return see_other("/")


def _provider(service: Service, request: Request) -> Upstream:
    """Raises Denial."""
    provider = service.upstreams.get(request.path_params["provider"])
    if provider is None:
        raise Denial("not_found", "there is no such provider")
    return provider


def _unavailable(provider: Upstream) -> Denial:
    return Denial(
        "temporarily_unavailable",
        f"{provider.label} does not answer as it should: try again in a moment, or sign in another way",
    )


async def post_unlink(service: Service, request: Request) -> Response:
    """That account signs nobody in here any more."""
    browser, form = await read_page_form(service, request)
    session = browser.require_session()
    if not sessions.is_recent(session):
        return see_other("/login?next=/")

    def work(tx: Transaction) -> None:
        user = tx.session.get_one(Principal, session.user_id)
        upstream_identities.unlink(tx, user, form.get("issuer", ""), form.get("subject", ""))

    await service.change(session.user, session.status_index, work)
    return see_other("/#ways")


ROWS = (
    page_row("POST", "/account/identities/unlink", post_unlink),
    page_row("GET", "/login/{provider}", get_begin),
    page_row("POST", "/login/{provider}", post_link),
    page_row("GET", "/login/{provider}/callback", get_callback),
)
