"""My session: a token for an hour, and where one is signed in and let in, each of which can be ended."""

from __future__ import annotations

from starlette.responses import Response

from issuer.api import sign_ins, visits
from issuer.api.query import IdPageQuery
from issuer.api.sign_ins import SignIn
from issuer.browser import SESSION_COOKIE, forget, see_other
from issuer.clients import CLI_ID
from issuer.console import account
from issuer.console.person import Person, room_row
from issuer.console.refusals import NOTHING, REFUSALS, Wrong, by_field
from issuer.signing_in import sessions

PATH = "/session"
_SIGN_INS, _VISITS = f"{PATH}#sign-ins", f"{PATH}#visits"
_MOST = 50


async def get_session(person: Person) -> Response:
    return await _page(person)


async def post_token(person: Person) -> Response:
    """A token with all that the user may: made only for who proved a moment ago who it is."""
    try:
        minted = await sessions.issue(person.service, person.session, person.form.get("resource", ""))
    except REFUSALS as error:
        return await _page(person, wrong=by_field(error))
    return person.page("session_token.html", token=minted.raw, expires_in=minted.expires_in)


async def post_end(person: Person) -> Response:
    await person.do(sign_ins.end, user=person.session.name)
    return see_other(_SIGN_INS)


async def post_end_visit(person: Person) -> Response:
    await person.do(visits.end, user=person.session.name)
    return see_other(_VISITS)


async def post_end_all(person: Person) -> Response:
    await person.do(sign_ins.end_all, user=person.session.name)
    answer = see_other("/login")
    forget(answer, SESSION_COOKIE)
    return answer


async def _page(person: Person, *, wrong: Wrong = NOTHING) -> Response:
    name = person.session.name
    found = await person.see_all(sign_ins.list_of_user, IdPageQuery(), most=_MOST, user=name)
    return person.page(
        "session.html",
        wrong=wrong,
        sign_ins=[(_title(each), each) for each in found],
        visits=await person.see_all(visits.list_of_user, IdPageQuery(), most=_MOST, user=name),
        most=_MOST,
        account=await account.of(person),
        services=[(each, each) for each in person.service.settings.accepted_audiences],
    )


def _title(sign_in: SignIn) -> str:
    """A name that begins with an article, as ours do, begins a line here; those of apps stay as they are."""
    return sign_in.name[:1].upper() + sign_in.name[1:] if sign_in.client_id == CLI_ID else sign_in.name


ROWS = (
    room_row("GET", PATH, get_session),
    room_row("POST", f"{PATH}/token", post_token, is_proof_needed=True),
    room_row("POST", f"{PATH}/sign-ins/{{sign_in}}/end", post_end),
    room_row("POST", f"{PATH}/visits/{{visit}}/end", post_end_visit),
    room_row("POST", f"{PATH}/sign-out-everywhere", post_end_all),
)
