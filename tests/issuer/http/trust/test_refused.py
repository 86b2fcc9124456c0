"""Tokens that are not taken, and requests that are none: refused, and `test` says which clause fails."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

import pytest

from keys import SigningKey, base64url
from tests.clients import claims
from tests.issuer.http.trust.asking import (
    JWT_BEARER,
    POD,
    SUBJECT,
    TYPE,
    UID,
    ask,
    exchange,
    good,
    got,
    tried,
    trust,
)
from tests.issuer.http.world import World
from tests.outside_issuer import OutsideIssuer, outside_issuer


def forged(token: str, **header: Any) -> str:
    """With another header."""
    first, payload, signature = token.split(".")
    said = json.loads(base64url.decode(first.encode())) | header
    return ".".join([base64url.encode(json.dumps(said).encode()).decode(), payload, signature])


def twice(token: str, key: SigningKey) -> str:
    """With a subject that is there twice."""
    payload = base64url.decode(token.split(".")[1].encode())
    return key.sign(b'{"sub":"system:serviceaccount:kube-system:admin",' + payload[1:], "JWT")


# How a token differs, and the clause that `test` names; "" where it is no token to try clauses on.
NOW = int(time.time())
CHANGED: dict[str, tuple[dict[str, Any], str]] = {
    "another audience": ({"aud": "https://kubernetes.default.svc"}, "audience"),
    "no audience": ({"aud": None}, "audience"),
    "a list without us": ({"aud": ["a", "b"]}, "audience"),
    "our name with a slash": ({"aud": "{url}/"}, "audience"),
    "another subject": ({"sub": "system:serviceaccount:ml:other"}, "subject"),
    "a longer subject": ({"sub": f"{SUBJECT}:x"}, "subject"),
    "no subject": ({"sub": None}, "subject"),
    "another account of the name": (
        {"kubernetes.io": {**POD, "serviceaccount": {"name": "train", "uid": "u-2"}}},
        "claim /kubernetes.io/serviceaccount/uid",
    ),
    "no account": ({"kubernetes.io": None}, "claim /kubernetes.io/serviceaccount/uid"),
    "expired": ({"exp": NOW - 1}, "time"),
    "from tomorrow": ({"iat": NOW + 7200, "exp": NOW + 9000}, "time"),
    "not yet": ({"nbf": NOW + 7200, "exp": NOW + 9000}, "time"),
    "a year long": ({"exp": NOW + 365 * 86400}, "time"),
    "without end": ({"exp": None}, ""),
    "in milliseconds": ({"exp": NOW * 1000}, ""),
    "an end as text": ({"exp": str(NOW + 60)}, ""),
    "an issuer as list": ({"iss": ["{cluster}"]}, ""),
    "no issuer": ({"iss": None}, ""),
    "a proof of possession": ({"cnf": {"jkt": "x"}}, ""),
    "another issuer": ({"iss": "https://evil.example"}, "issuer"),
    "the issuer with a slash": ({"iss": "{cluster}/"}, "issuer"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_token_that_is_not_taken(world: World, cluster: OutsideIssuer, trusted: str, name: str) -> None:
    changes, clause = CHANGED[name]

    def filled(value: Any) -> Any:
        return value.format(url=world.url, cluster=cluster.url) if isinstance(value, str) else value

    token = good(world, cluster, **{member: filled(value) for member, value in changes.items()})
    _is_refused(world, trusted, token, clause)


def _is_refused(world: World, role: str, token: str, clause: str) -> None:
    bearer_grant, by_exchange = ask(world, role, token), exchange(world, role, token)
    assert (bearer_grant.status_code, bearer_grant.json()["error"]) == (400, "invalid_grant")
    # Without a readable issuer nothing says that it is not a token of this one.
    assert (by_exchange.status_code, by_exchange.json()["error"]) in (
        (400, "invalid_request"),
        (401, "invalid_client"),
    )
    answer = tried(world, role, token)
    if not clause:
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "token")
        return
    verdict = answer.json()
    failed = [check for check in verdict["checks"] if check["outcome"] == "fails"]
    assert (verdict["accepted"], verdict["by"]) == (False, None)
    assert [check["clause"] for check in failed] == [clause]
    assert failed[0]["reason"]


@pytest.mark.parametrize(
    ("header", "clause"),
    [
        ({"alg": "none"}, "signature"),
        ({"alg": "HS256"}, "signature"),
        ({"alg": "RS256"}, "signature"),
        ({"kid": "another"}, "signature"),
        ({"jku": "https://evil.example/jwks"}, "signature"),
        ({"jwk": {"kty": "oct", "k": "x"}}, "signature"),
        ({"typ": "logout+jwt"}, ""),
        ({"crit": ["x"]}, ""),
        ({"zip": "DEF"}, ""),
    ],
)
def test_a_header_that_is_not_taken(
    world: World, cluster: OutsideIssuer, trusted: str, header: dict[str, Any], clause: str
) -> None:
    _is_refused(world, trusted, forged(good(world, cluster), **header), clause)


def test_keys_of_others(world: World, cluster: OutsideIssuer, trusted: str) -> None:
    with outside_issuer() as other:
        # The same kid, published by another issuer, signs nothing for this one.
        other.documents["/openid/v1/jwks"] = json.dumps(
            {"keys": [{**other.key.public_jwk, "kid": cluster.key.kid}]}
        ).encode()
        stolen = other.service_account(world.url, "ml", "train", UID, iss=cluster.url)
        _is_refused(world, trusted, forged(stolen, kid=cluster.key.kid), "signature")
        _is_refused(world, trusted, other.service_account(world.url, "ml", "train", UID), "issuer")
        assert not other.asked, "nobody trusts it, so nobody asks it"
    _is_refused(world, trusted, twice(good(world, cluster), cluster.key), "")


def test_an_audience_list_with_us_in_it(world: World, cluster: OutsideIssuer, trusted: str) -> None:
    got(ask(world, trusted, good(world, cluster, aud=["https://other.example", world.url])))


def test_which_token_it_was_is_told_clause_by_clause(
    world: World, cluster: OutsideIssuer, trusted: str
) -> None:
    verdict = tried(world, trusted, good(world, cluster)).json()
    assert verdict["accepted"]
    assert verdict["by"] == verdict["checks"][0]["policy"]
    uid = "claim /kubernetes.io/serviceaccount/uid"
    clauses = ["issuer", "signature", "time", "audience", "subject", uid]
    assert [(check["clause"], check["outcome"]) for check in verdict["checks"]] == [
        (clause, "holds") for clause in clauses
    ]
    wrong = tried(world, trusted, good(world, cluster, iss="https://evil.example", sub="x")).json()
    outcomes = {check["clause"]: check["outcome"] for check in wrong["checks"]}
    assert outcomes == {
        **dict.fromkeys(clauses, "holds"),
        "issuer": "fails",
        "signature": "unchecked",
        "subject": "fails",
    }


def test_of_several_policies_one_is_enough(world: World, cluster: OutsideIssuer) -> None:
    role = world.role("data:get@*")
    first = trust(world, role, issuer=cluster.url, subject="system:serviceaccount:ml:other")
    second = trust(world, role, issuer=cluster.url, subject_pattern="system:serviceaccount:ml:t*")
    third = trust(world, role, issuer=cluster.url, subject=SUBJECT)
    token = good(world, cluster)
    assert claims(got(ask(world, role, token))["access_token"])["client_id"] == second["id"]
    verdict = tried(world, role, token).json()
    taken = {
        policy["id"]: all(
            check["outcome"] == "holds" for check in verdict["checks"] if check["policy"] == policy["id"]
        )
        for policy in (first, second, third)
    }
    assert list(taken.values()) == [False, True, True]


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"role": ""}, "role is missing"),
        ({"role": "no role"}, "ORG.ACCOUNT.NAME"),
        ({"role": "role:org.account.x"}, "ORG.ACCOUNT.NAME"),
        ({"assertion": ""}, "assertion is missing"),
        ({"client_secret": "x", "client_id": "x"}, "send no other"),
    ],
)
def test_what_a_request_lacks(world: World, trusted: str, form: dict[str, str], says: str) -> None:
    answer = ask(world, trusted, "a.b.c", **form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert says in answer.json()["error_description"]


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"role": ""}, "role is missing"),
        ({"subject_token_type": ""}, "subject_token_type is missing"),
        ({"subject_token_type": f"{TYPE}saml2"}, "subject_token_type is"),
        ({"requested_token_type": f"{TYPE}id_token"}, "requested_token_type is"),
        ({"actor_token": "x", "actor_token_type": f"{TYPE}jwt"}, "not for tokens of others"),
        ({"actor_token": "x"}, "come together"),
    ],
)
def test_what_an_exchange_lacks(
    world: World, cluster: OutsideIssuer, trusted: str, form: dict[str, str], says: str
) -> None:
    answer = exchange(world, trusted, good(world, cluster), **form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert says in answer.json()["error_description"]


def test_no_other_proof_goes_with_it(world: World, cluster: OutsideIssuer, trusted: str) -> None:
    key = world.holder("data:get@*")
    data = {"grant_type": JWT_BEARER, "assertion": good(world, cluster), "role": trusted}
    answer = world.nobody.post("/v1/token", data=data, auth=key.basic)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_who_knows_no_role_learns_of_none(world: World, cluster: OutsideIssuer) -> None:
    token, answers = good(world, cluster), set()
    for role in (world.role("data:get@*"), f"org.tests.never{uuid4().hex[:8]}"):
        answer = ask(world, role, token)
        answers.add((answer.status_code, answer.json()["error"], answer.json()["error_description"]))
    assert len(answers) == 1
