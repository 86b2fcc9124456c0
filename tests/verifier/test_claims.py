"""Token <-> claims, and what a token allows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier import forge
from tests.verifier.small_world import scopes
from verifier import InvalidClaim, Scope, StatusReference, Token, strict_json
from verifier.claims import MAX_ACTORS

FAR = 253402300799
_some = st.text(min_size=1, max_size=8)
_labels = st.dictionaries(
    st.from_regex(r"[a-z/]{1,5}", fullmatch=True), st.from_regex(r"[A-Z0-9]{1,3}", fullmatch=True)
)
_times = st.integers(0, FAR - 1) | st.floats(0, 1e9)


@st.composite
def tokens(draw: st.DrawFn) -> Token:
    issued_at = draw(_times)
    actors = draw(st.lists(_some, max_size=MAX_ACTORS))
    return Token(
        issuer=draw(_some),
        audience=tuple(draw(st.lists(_some, max_size=3))),
        subject=draw(_some),
        issued_at=issued_at,
        expires_at=issued_at + draw(st.integers(1, 3600)) if issued_at < 1e10 else FAR,
        token_id=draw(_some),
        client_id=draw(_some),
        roles=tuple(draw(st.lists(_some, max_size=2))),
        scope=draw(scopes),
        status=draw(st.none() | st.builds(StatusReference, _some, st.integers(0, 2**20))),
        not_before=draw(st.none() | _times),
        actor=next(iter(actors), None),
        earlier_actors=tuple(actors[1:]),
        may_act=draw(st.none() | _some),
        job=draw(st.none() | _some),
        labels=draw(_labels),
    )


def parsed(scope: str = "", **changes: Any) -> Token:
    return Token.from_claims(forge.claims(scope=scope, **changes))


@given(tokens())
def test_token_and_claims_are_inverse(token: Token) -> None:
    on_the_wire = json.loads(json.dumps(token.to_claims()))
    assert Token.from_claims(on_the_wire) == token
    assert Token.from_claims(on_the_wire).to_claims() == on_the_wire


def test_the_longest_chain_of_actors_is_read_from_the_wire_and_no_longer_one() -> None:
    actors = [f"role:a.b.r{number}" for number in range(MAX_ACTORS)]
    longest = parsed(act=nested(actors))
    on_the_wire = json.dumps(longest.to_claims()).encode()
    assert Token.from_claims(strict_json.parse_object(on_the_wire)) == longest
    with pytest.raises(InvalidClaim, match="act"):
        parsed(act=nested([*actors, "role:a.b.last"]))


def nested(actors: list[str]) -> dict[str, Any]:
    """As RFC 8693 section 4.1 writes them, the outermost first."""
    return {"sub": actors[0]} | ({"act": nested(actors[1:])} if actors[1:] else {})


def test_what_is_empty_is_not_written() -> None:
    token = parsed(status=forge.ABSENT)
    assert not {"status", "nbf", "act", "may_act", "job", "labels"} & token.to_claims().keys()


def test_one_audience_is_written_as_text() -> None:
    assert Token.from_claims(forge.claims()).to_claims() == forge.claims()
    assert Token.from_claims(forge.claims(aud=["a", "b"])).to_claims()["aud"] == ["a", "b"]


def test_only_the_required_claims() -> None:
    token = Token.from_claims(forge.claims(roles=forge.ABSENT, scope=forge.ABSENT, status=forge.ABSENT))
    assert token == Token(
        issuer=forge.ISSUER,
        audience=(forge.AUDIENCE,),
        subject="role:org.account.ci",
        issued_at=forge.NOW - 60,
        expires_at=forge.NOW + 3540,
        token_id="token-1",
        client_id="hmk_0123456789abcdef",
    )
    assert token.roles == ()
    assert token.scope == Scope()
    assert (token.status, token.not_before, token.actor, token.job, dict(token.labels)) == (
        None,
        None,
        None,
        None,
        {},
    )


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "iat", "exp", "jti", "client_id"])
def test_a_required_claim_is_named_when_missing(claim: str) -> None:
    with pytest.raises(InvalidClaim, match=f"invalid_claim: {claim} is missing") as refusal:
        Token.from_claims(forge.claims(**{claim: forge.ABSENT}))
    assert (refusal.value.code, refusal.value.claim) == ("invalid_claim", claim)


_NO_TEXT: list[Any] = [None, "", 7, True, ["x"], {"x": 1}]
_NO_TIME: list[Any] = [
    None, "1900000000", "", True, False, [1], {"a": 1}, -1, -0.5, FAR + 1, 1e300, 10**400, -(10**400),
    float("inf"), float("-inf"), float("nan"),
]  # fmt: skip
_NO_TEXTS: list[Any] = [None, 7, True, {"x": 1}, [7], ["x", None], ["x", ["y"]]]
_NO_STATUS: list[Any] = [
    None, 7, "x", [], {}, {"status_list": None}, {"status_list": []}, {"status_list": {}},
    {"idx": 1, "uri": "x"},
    *({"status_list": {"idx": index, "uri": "x"}} for index in (None, "1", 1.0, True, -1, [1])),
    *({"status_list": {"idx": 1, "uri": uri}} for uri in (None, 7, ["x"])),
    {"status_list": {"idx": 1}}, {"status_list": {"uri": "x"}},
]  # fmt: skip
_NO_LABELS: list[Any] = [
    None, 7, "a=b", ["a"], {"a": 1}, {"a": None}, {"a": ["b"]}, {"a": ""}, {"": "b"}, {"a b": "c"},
    {"a": "b c"}, {"a": "b", "c": "d,e"}, {"a=b": "c"}, {"a": "b\n"},
]  # fmt: skip


def _nested(depth: int) -> dict[str, Any]:
    """So many actors, each on behalf of the next."""
    return {"sub": "a", **({"act": _nested(depth - 1)} if depth > 1 else {})}


WRONG = {
    **dict.fromkeys(("iss", "sub", "jti", "client_id", "job"), _NO_TEXT),
    **dict.fromkeys(("iat", "exp", "nbf"), _NO_TIME),
    "aud": _NO_TEXTS,
    "roles": [*_NO_TEXTS, "", "admin"],
    "scope": [
        None,
        7,
        True,
        ["a:b@x"],
        {"a:b@x": 1},
        "a:b@",
        "user@example.com",
        "a\tb",
        "\u00e9",
        "w" * 8193,
    ],
    "status": _NO_STATUS,
    "act": [
        *(None, 7, "user:x", ["x"], {}, {"sub": None}, {"sub": ""}, {"sub": 7}, {"sub": ["x"]}),
        *({"sub": "a", "act": None}, {"sub": "a", "act": {}}, _nested(9)),
    ],
    "may_act": [None, 7, "user:x", ["x"], {}, {"sub": None}, {"sub": ""}, {"sub": 7}, {"sub": ["x"]}],
    "labels": _NO_LABELS,
}


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        pytest.param(claim, value, id=f"{claim}-{number}")
        for claim, values in WRONG.items()
        for number, value in enumerate(values)
    ],
)
def test_a_claim_of_the_wrong_kind_is_named(claim: str, value: Any) -> None:
    with pytest.raises(InvalidClaim, match=f"invalid_claim: {claim} is not of its kind") as refusal:
        Token.from_claims(forge.claims(**{claim: value}))
    assert refusal.value.claim == claim


@pytest.mark.parametrize(
    ("claim", "value", "field", "read"),
    [
        ("iat", 0, "issued_at", 0),
        ("iat", 1.5, "issued_at", 1.5),
        ("exp", FAR, "expires_at", FAR),
        ("nbf", 0, "not_before", 0),
        ("aud", [], "audience", ()),
        ("aud", ["a", "b"], "audience", ("a", "b")),
        ("roles", ["a", "b"], "roles", ("a", "b")),
        ("scope", "", "scope", Scope()),
        ("act", {"sub": "user:anne", "act": {"sub": "user:x"}}, "actor", "user:anne"),
        ("act", {"sub": "user:anne", "act": {"sub": "user:x"}}, "earlier_actors", ("user:x",)),
        ("act", {"sub": "user:anne"}, "earlier_actors", ()),
        ("may_act", {"sub": "role:a.b.c", "iss": "u"}, "may_act", "role:a.b.c"),
        ("job", "j-1", "job", "j-1"),
        ("labels", {}, "labels", {}),
        ("labels", {"hourmark/id": "a/b"}, "labels", {"hourmark/id": "a/b"}),
        ("status", {"status_list": {"idx": 0, "uri": "u"}, "other": 1}, "status", StatusReference("u", 0)),
    ],
)
def test_reads(claim: str, value: Any, field: str, read: Any) -> None:
    assert getattr(Token.from_claims(forge.claims(**{claim: value})), field) == read


@pytest.mark.parametrize("expires_at", [forge.NOW - 60, forge.NOW - 61, 0])
def test_the_end_is_after_the_beginning(expires_at: int) -> None:
    with pytest.raises(InvalidClaim, match="exp is not after iat"):
        Token.from_claims(forge.claims(exp=expires_at))


@pytest.mark.parametrize("confirmation", [{"jkt": "x"}, {}, None])
def test_a_bound_token_without_its_proof_is_refused(confirmation: Any) -> None:
    with pytest.raises(InvalidClaim, match="cnf asks for a proof of possession"):
        Token.from_claims(forge.claims(cnf=confirmation))
