"""What is taken from a provider, and what is not: ID tokens claim by claim, and answers that are none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from starlette.requests import Request

from issuer.settings import Settings
from issuer.signing_in.providers import UpstreamProvider
from issuer.signing_in.upstream import Attempt, Identity, UpstreamRefused, UpstreamUnavailable
from issuer.signing_in.upstream_client import Upstream
from tests.issuer.signing_in.provider_double import (
    CLIENT_ID,
    SUBJECT,
    ProviderDouble,
    start_provider_double,
)

pytestmark = pytest.mark.anyio
ABSENT = object()


@pytest.fixture
def double() -> Iterator[ProviderDouble]:
    with start_provider_double() as started:
        yield started


class Way:
    """One attempt to sign in at the provider."""

    def __init__(self, double: ProviderDouble, *, is_anew: bool = False) -> None:
        provider = UpstreamProvider(issuer=double.url, client_id=CLIENT_ID, roles={})
        self._upstream = Upstream("corp", provider, Settings(issuer="http://127.0.0.1:8700"))
        self._attempt = Attempt("corp", "/", None, is_anew, int(time.time()), {})

    async def there(self) -> dict[str, str]:
        """What the provider is asked."""
        url = await self._upstream.begin(_request(), self._attempt)
        return dict(parse_qsl(urlsplit(url).query))

    async def back(self, state: str) -> Identity:
        return await self._upstream.finish(_request(code="code", state=state), self._attempt)


def _request(**query: str) -> Request:
    return Request(
        {"type": "http", "method": "GET", "query_string": urlencode(query).encode(), "headers": []}
    )


async def test_an_id_token_says_who_it_is(double: ProviderDouble) -> None:
    way = Way(double)
    asked = await way.there()
    assert (asked["code_challenge_method"], asked["response_type"]) == ("S256", "code")
    claims = double.claims(asked["nonce"])
    double.answer(double.sign(claims | {"amr": ["pwd", "otp", 7, "two words"], "groups": ["in both", 7]}))
    double.answers["/me"] = {"sub": SUBJECT, "groups": ["told"], "name": "Ada", "iss": "x", "auth_time": 1}
    identity = await way.back(asked["state"])
    assert (identity.issuer, identity.subject) == (double.url, SUBJECT)
    assert (identity.methods, identity.groups) == (("pwd", "otp"), ("in both",)), "what is signed comes first"
    assert (identity.authenticated_at, identity.claims["name"]) == (claims["auth_time"], "Ada")


@pytest.mark.parametrize("is_there", [True, False], ids=["userinfo", "no userinfo"])
async def test_groups_that_the_id_token_does_not_hold(double: ProviderDouble, *, is_there: bool) -> None:
    way = Way(double)
    double.answers["/me"] = {"sub": SUBJECT, "groups": ["ml-team"]}
    if not is_there:
        del double.metadata["userinfo_endpoint"]
    asked = await way.there()
    double.answer(double.sign(double.claims(asked["nonce"])))
    assert (await way.back(asked["state"])).groups == (("ml-team",) if is_there else ())


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"aud": "another", "azp": CLIENT_ID},
        {"aud": ["another", "third"], "azp": CLIENT_ID},
        {"aud": ABSENT},
        {"aud": [CLIENT_ID, "another"], "azp": "another"},
        {"iss": "https://another.example"},
        {"iss": ABSENT},
        {"sub": ABSENT},
        {"sub": ""},
        {"sub": 7},
        {"nonce": "another"},
        {"nonce": ABSENT},
        {"exp": 1},
        {"exp": ABSENT},
        {"nbf": 4_000_000_000},
        {"iat": 4_000_000_000},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
    ids=lambda changes: str(changes).replace(str(ABSENT), "absent"),
)
async def test_an_id_token_that_is_not_for_this(double: ProviderDouble, changes: dict[str, object]) -> None:
    way = Way(double)
    asked = await way.there()
    claims = double.claims(asked["nonce"]) | changes
    double.answer(double.sign({name: value for name, value in claims.items() if value is not ABSENT}))
    with pytest.raises(UpstreamRefused):
        await way.back(asked["state"])


@pytest.mark.parametrize("algorithm", ["HS256", "none"])
async def test_an_algorithm_that_proves_nothing(double: ProviderDouble, algorithm: str) -> None:
    way = Way(double)
    asked = await way.there()
    double.answer(double.sign(double.claims(asked["nonce"]), algorithm))
    with pytest.raises(UpstreamRefused):
        await way.back(asked["state"])


async def test_an_id_token_of_another_key(double: ProviderDouble) -> None:
    way = Way(double)
    asked = await way.there()
    with start_provider_double() as another:
        double.answer(another.sign(double.claims(asked["nonce"])))
    with pytest.raises(UpstreamRefused):
        await way.back(asked["state"])


@pytest.mark.parametrize("told", [{"sub": "somebody else"}, {"groups": ["ml-team"]}, {}], ids=str)
async def test_userinfo_of_somebody_else(double: ProviderDouble, told: dict[str, Any]) -> None:
    way = Way(double)
    asked = await way.there()
    double.answer(double.sign(double.claims(asked["nonce"])))
    double.answers["/me"] = told
    with pytest.raises(UpstreamRefused):
        await way.back(asked["state"])


@pytest.mark.parametrize("nothing", [None, "text", [], ["a", "list"], {}, 7], ids=str)
@pytest.mark.parametrize("path", ["/token", "/jwks", "/me"])
async def test_an_answer_that_is_none(double: ProviderDouble, path: str, nothing: object) -> None:
    way = Way(double)
    asked = await way.there()
    double.answer(double.sign(double.claims(asked["nonce"])))
    double.answers[path] = nothing
    with pytest.raises((UpstreamUnavailable, UpstreamRefused)):
        await way.back(asked["state"])


@pytest.mark.parametrize("id_token", [None, "", "a.b.c", 7, {}, []], ids=str)
async def test_an_id_token_that_is_none(double: ProviderDouble, id_token: object) -> None:
    way = Way(double)
    asked = await way.there()
    double.answer(id_token)
    with pytest.raises((UpstreamUnavailable, UpstreamRefused)):
        await way.back(asked["state"])


@pytest.mark.parametrize(
    "metadata", [None, "text", [], {}, {"issuer": "https://another.example"}, 7], ids=str
)
async def test_metadata_that_is_none_or_anothers(double: ProviderDouble, metadata: object) -> None:
    double.answers["/.well-known/openid-configuration"] = metadata
    with pytest.raises(UpstreamUnavailable):
        await Way(double).there()


async def test_metadata_without_keys(double: ProviderDouble) -> None:
    del double.metadata["jwks_uri"]
    way = Way(double)
    asked = await way.there()
    double.answer(double.sign(double.claims(asked["nonce"])))
    with pytest.raises(UpstreamUnavailable):
        await way.back(asked["state"])
