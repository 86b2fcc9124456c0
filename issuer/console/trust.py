"""Outside identities that become a role: trusted, looked over, tried with a token, not trusted any more."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from starlette.responses import Response

from issuer.api import roles, trust
from issuer.api.query import PageQuery
from issuer.api.trust import NewTrustPolicy, TokenToTry, TrustCheck, TrustPolicy, TrustVerdict
from issuer.api.trust_clauses import TrustClauses, TrustFinding
from issuer.browser import see_other
from issuer.console import forms
from issuer.console.person import Person, room_row
from issuer.console.refusals import NOTHING, REFUSALS, Wrong, by_field
from issuer.denials import wrong_field

_ROLE = "/roles/{role}"
NEW, TEST, ONE = f"{_ROLE}/trust/new", f"{_ROLE}/trust/test", f"{_ROLE}/trust/{{trust}}"
MOST = 256
_FIELDS = ("issuer", "subject", "audience", "claims", "claim_patterns", "description")


async def get_new(person: Person) -> Response:
    return await _new(person)


async def post_new(person: Person) -> Response:
    """Looks it over, or makes it."""
    await person.see(roles.get)
    form = person.form
    try:
        clauses = _clauses(form)
        if "lint" in form:
            looked = await person.do(trust.lint_draft, forms.read(TrustClauses, clauses))
            return await _new(person, findings=looked.findings)
        asked = forms.read(NewTrustPolicy, clauses | forms.given(form, "description"))
        await person.do(trust.create, asked)
    except REFUSALS as error:
        return await _new(person, _by_field(error))
    return see_other(f"{_ROLE}#trust".format(**person.parameters))


async def get_test(person: Person) -> Response:
    return await _test(person)


async def post_test(person: Person) -> Response:
    """The token is somebody's: it is looked at, and stands in no answer."""
    await person.see(roles.get)
    try:
        asked = forms.read(TokenToTry, {"token": person.form.get("token", "").strip()})
        verdict = await person.do(trust.test, asked)
    except REFUSALS as error:
        return await _test(person, by_field(error))
    return await _test(person, verdict=verdict)


async def post_delete(person: Person) -> Response:
    await person.see(roles.get)
    await person.do(trust.delete)
    return see_other(f"{_ROLE}#trust".format(**person.parameters))


def _clauses(form: Mapping[str, str]) -> dict[str, object]:
    """Raises Denial."""
    clauses: dict[str, object] = {
        f"{name}_pattern" if f"{name}_is_pattern" in form else name: text
        for name, text in forms.given(form, "issuer", "subject").items()
    }
    clauses |= forms.given(form, "audience")
    return clauses | {name: _claims(name, form.get(name, "")) for name in ("claims", "claim_patterns")}


def _claims(field: str, text: str) -> dict[str, str]:
    """From `name=value`, one a line: values may have spaces in them. Raises Denial."""
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, joint, value = line.partition("=")
        if not joint or name in found:
            raise wrong_field(field, f"{line[:100]!r}: write name=value, one a line, each name once")
        found[name] = value
    return found


def _by_field(error: Exception) -> Wrong:
    """A clause is a field here, or a line of one."""
    wrong = by_field(error)
    named = {name.removesuffix("_pattern"): text for name, text in wrong.items()}
    known = {name if name in ("", *_FIELDS) else "claims": text for name, text in named.items()}
    return Wrong(known, wrong.status)


async def _new(
    person: Person, wrong: Wrong = NOTHING, *, findings: list[TrustFinding] | None = None
) -> Response:
    return person.page(
        "trust_new.html",
        role=await person.see(roles.get),
        filled=person.form,
        findings=findings,
        audience=person.service.settings.issuer_url,
        wrong=wrong,
    )


async def _test(person: Person, wrong: Wrong = NOTHING, *, verdict: TrustVerdict | None = None) -> Response:
    policies = await person.see_all(trust.list_of_role, PageQuery(), most=MOST)
    return person.page(
        "trust_test.html",
        role=await person.see(roles.get),
        verdict=verdict,
        judged=[] if verdict is None else _by_policy(verdict.checks, policies),
        has_any=bool(policies),
        wrong=wrong,
    )


def _by_policy(
    checks: list[TrustCheck], policies: list[TrustPolicy]
) -> list[tuple[TrustPolicy | None, list[TrustCheck]]]:
    """Each policy, unless it is gone by now, with what became of its clauses."""
    known = {policy.id: policy for policy in policies}
    return [(known.get(name), list(of)) for name, of in groupby(checks, key=lambda check: check.policy)]


ROWS = (
    room_row("GET", NEW, get_new, is_proof_needed=True),
    room_row("POST", NEW, post_new, is_proof_needed=True),
    room_row("GET", TEST, get_test),
    room_row("POST", TEST, post_test),
    room_row("POST", f"{ONE}/delete", post_delete),
)
