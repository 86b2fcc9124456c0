"""The shared attacks: each token and each list gets exactly the code that its vector names."""

from __future__ import annotations

import json
import re
import socket
from typing import Any, get_args

import pytest

from tests.vectors import load
from tests.verifier import forge
from verifier import DocumentError, TokenError, Trust, Verifier
from verifier.errors import Code

TOKENS = load("attacks/verifier_vectors.json")
LISTS = load("attacks/revocation_vectors.json")
CONTEXT = TOKENS["context"]
GOOD_LIST = next(vector["list_token"] for vector in LISTS["vectors"] if vector["id"] == "rl-ok").encode()

# The vectors' neutral names; a name that is not here fails its test.
OF_A_TOKEN = {code: code for code in get_args(Code)} | {
    "too_large": "malformed",
    "missing_claim": "invalid_claim",
    "bad_claim": "invalid_claim",
    "bad_alg": "bad_algorithm",
    "revocation_unknown": "revocation_stale",
}
OF_A_LIST = {
    code: code
    for code in ("malformed", "too_large", "bad_signature", "unknown_key", "wrong_type", "wrong_list")
} | {"bad_alg": "bad_algorithm", "revocation_rollback": "revocation_rollback"}


def cases(vectors: Any) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "vector", [pytest.param(vector, id=vector["id"]) for vector in vectors["vectors"]]
    )


def expected(vector: dict[str, Any], names: dict[str, str]) -> set[str]:
    """What may come out; `either` leaves it open."""
    if vector["expect"] == "either":
        return {"accepted", *names.values()}
    assert vector["expect"] in ("accept", "reject")
    return (
        {"accepted"}
        if vector["expect"] == "accept"
        else {names[name] for name in vector["reason"].split("|")}
    )


def raw_token(vector: dict[str, Any]) -> str:
    """The token; a very long one is described as a character and how often."""
    if not vector["token"].startswith("@repeat:"):
        return str(vector["token"])
    built = re.fullmatch(r"'(.)' \* (\d+)", vector["build"])
    assert built, vector["build"]
    return built[1] * int(built[2])


def trusted(vector: dict[str, Any]) -> Trust:
    """Trust in the context's keys and a good list; then in the vector's own keys, if it has any."""
    trust = Trust.from_documents(
        issuer=CONTEXT["issuer"],
        jwks=json.dumps(CONTEXT["jwks"]).encode(),
        status_lists=[GOOD_LIST],
        algorithms=CONTEXT["allowed_algs"],
        now=vector["now"],
    )
    if "jwks" in vector:
        trust.update_keys(json.dumps(vector["jwks"]).encode(), now=vector["now"])
    return trust


def verdict(verifier: Verifier, raw: str, vector: dict[str, Any]) -> str:
    try:
        token = verifier.verify(raw, now=vector["now"])
    except TokenError as error:
        return error.code
    what, _, name = vector.get("need", "").partition(" ")
    held = {"scope": token.has_scope, "role": token.roles.__contains__, "": bool}[what](name or "nothing")
    return "accepted" if held else "insufficient_scope"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verifier that follows `jku`, `x5u` or an unknown `kid` would have to open a socket."""

    def refuse(*arguments: object, **_: object) -> None:
        pytest.fail(f"the verifier went to the network: {arguments}")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)


@cases(TOKENS)
def test_token(vector: dict[str, Any]) -> None:
    verifier = Verifier(
        CONTEXT["issuer"],
        CONTEXT["audience"],
        trust=trusted(vector),
        max_lifetime=CONTEXT["max_ttl"],
        leeway=CONTEXT["leeway"],
    )
    raw = raw_token(vector)
    verdicts = [verdict(verifier, raw, vector) for _ in range(2)]
    assert verdicts[0] == verdicts[1], "a second look must not see more or less"
    assert verdicts[0] in expected(vector, OF_A_TOKEN)


@cases(TOKENS)
def test_another_issuers_keys_change_nothing(vector: dict[str, Any]) -> None:
    """A service that trusts two issuers has a verifier for each: no verdict may turn into a better one."""
    for issuer, jwks in vector.get("issuers", {}).items():
        trust = Trust.from_documents(issuer=issuer, jwks=json.dumps(jwks).encode(), now=vector["now"])
        verifier = Verifier(issuer, CONTEXT["audience"], trust=trust, status="optional")
        assert verdict(verifier, raw_token(vector), vector) == "wrong_issuer"


def list_trust(vector: dict[str, Any]) -> Trust:
    """Trust in the context's keys and in the key that signs our own tokens."""
    keys = [*LISTS["context"]["jwks"]["keys"], forge.key().public_jwk]
    earlier = [vector["after"].encode()] if "after" in vector else []
    return Trust.from_documents(
        issuer=LISTS["context"]["issuer"], jwks=forge.jwks_of(*keys), status_lists=earlier, now=vector["now"]
    )


def token_verdict(trust: Trust, vector: dict[str, Any]) -> str:
    """The verdict on a token that is good but for what the list says of its index."""
    context = LISTS["context"]
    status = {"status_list": {"idx": vector["idx"], "uri": context["list_uri"]}}
    now = vector["now"]
    raw = forge.token(iss=context["issuer"], aud=context["audience"], status=status, iat=now, exp=now + 60)
    return verdict(Verifier(context["issuer"], context["audience"], trust=trust), raw, {"now": now})


def update(trust: Trust, vector: dict[str, Any]) -> str | None:
    """The code with which the list is refused, if it is."""
    before = trust.lists
    try:
        trust.update_status_list(
            vector["list_token"].encode(), now=vector["now"], uri=LISTS["context"]["list_uri"]
        )
    except DocumentError as error:
        assert trust.lists is before, "a refused list leaves the last good one in place"
        return error.code
    return None


@cases(LISTS)
def test_list(vector: dict[str, Any]) -> None:
    trust = list_trust(vector)
    refusal = update(trust, vector)
    if refusal is None:
        assert token_verdict(trust, vector) in expected(vector, OF_A_TOKEN)
    else:
        assert refusal in expected(vector, OF_A_LIST)
        assert ("after" in vector) or token_verdict(trust, vector) == "revocation_stale"


@cases(LISTS)
def test_a_refused_list_leaves_the_last_good_one_at_work(vector: dict[str, Any]) -> None:
    trust = list_trust(vector)
    if "after" not in vector:
        trust.update_status_list(GOOD_LIST, now=vector["now"])
    held = trust.lists[LISTS["context"]["list_uri"]]
    before = token_verdict(trust, vector)
    if update(trust, vector) is not None:
        assert trust.lists[LISTS["context"]["list_uri"]] is held
        assert token_verdict(trust, vector) == before


def test_an_unmapped_reason_fails() -> None:
    with pytest.raises(KeyError):
        expected({"expect": "reject", "reason": "malformed|a_new_name"}, OF_A_TOKEN)


def test_none_is_left_out() -> None:
    assert len(TOKENS["vectors"]) >= 78
    assert len(LISTS["vectors"]) >= 11
