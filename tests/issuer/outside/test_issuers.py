"""The keys of outside issuers: asked for when needed, no more than that, and never lost to a bad answer."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from inspect import signature
from typing import Any

import pytest

from issuer.outside.address import Addresses, RefusedAddress
from issuer.outside.issuers import COOLDOWN, MAX_ISSUERS, MAX_KEYS_AGE, OutsideIssuers
from issuer.outside.token import OutsideToken
from keys import SigningKey, base64url
from tests.outside_issuer import DISCOVERY, JWKS, OutsideIssuer, outside_issuer
from verifier import TokenError, Unavailable, Verifier, refresh

pytestmark = pytest.mark.anyio
NOW = 1_900_000_000.0
HERE = Addresses.within(["127.0.0.0/8"])


@pytest.fixture(params=["RS256", "ES256", "EdDSA"])
def any_issuer(request: pytest.FixtureRequest) -> Iterator[OutsideIssuer]:
    with outside_issuer(algorithm=request.param) as running:
        yield running


@pytest.fixture
def there() -> Iterator[OutsideIssuer]:
    with outside_issuer() as running:
        yield running


@pytest.fixture
async def known() -> AsyncIterator[OutsideIssuers]:
    issuers = OutsideIssuers(HERE)
    yield issuers
    await issuers.close()


def parsed(issuer: OutsideIssuer, **claims: Any) -> OutsideToken:
    return OutsideToken.parse(issuer.token("a", "s", **claims))


async def verdict(known: OutsideIssuers, token: OutsideToken, now: float = NOW) -> str:
    try:
        await known.check_signature(token, now)
    except TokenError as error:
        return error.code
    return "good"


async def why(known: OutsideIssuers, issuer: str, now: float = NOW) -> str:
    with pytest.raises(TokenError) as caught:
        await known.check_reachable(issuer, now)
    assert caught.value.code == "keys_unavailable"
    return caught.value.detail


def test_the_bounds_are_the_verifiers() -> None:
    assert refresh.COOLDOWN == COOLDOWN
    assert signature(Verifier).parameters["max_keys_age"].default == MAX_KEYS_AGE


async def test_a_signature_holds_by_the_keys_that_the_issuer_publishes(
    any_issuer: OutsideIssuer, known: OutsideIssuers
) -> None:
    token = parsed(any_issuer)
    assert [await verdict(known, token), await verdict(known, token)] == ["good", "good"]
    assert any_issuer.asked == {DISCOVERY: 1, JWKS: 1}


async def test_the_same_kid_at_another_issuer_is_another_key(known: OutsideIssuers) -> None:
    with outside_issuer() as one, outside_issuer() as other:
        named = SigningKey.generate("ES256")
        jwk = {**named.public_jwk, "kid": one.key.kid}
        other.documents[JWKS] = json.dumps({"keys": [jwk]}).encode()
        assert await verdict(known, parsed(one)) == "good"
        forged = one.token("a", "s", iss=other.url)
        assert await verdict(known, OutsideToken.parse(forged)) == "bad_signature"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"alg": "none"}, "bad_algorithm"),
        ({"alg": "HS256"}, "bad_algorithm"),
        ({"alg": "RS256"}, "bad_algorithm"),
        ({"alg": "PS256"}, "bad_algorithm"),
        ({"kid": "another"}, "unknown_key"),
        ({"kid": None}, "unknown_key"),
        ({}, "bad_signature"),
    ],
)
async def test_what_no_key_signed(
    there: OutsideIssuer, known: OutsideIssuers, header: dict[str, Any], code: str
) -> None:
    first, payload, last = there.token("a", "s").split(".")
    said = json.loads(base64url.decode(first.encode())) | header
    head = base64url.encode(json.dumps({k: v for k, v in said.items() if v is not None}).encode()).decode()
    signed = base64url.encode(base64url.decode(last.encode())[:-1] + b"x").decode()
    assert await verdict(known, OutsideToken.parse(f"{head}.{payload}.{signed}")) == code


async def test_a_new_key_is_found_when_its_first_token_comes(
    there: OutsideIssuer, known: OutsideIssuers
) -> None:
    assert await verdict(known, parsed(there)) == "good"
    old = parsed(there)
    there.rotate()
    new = parsed(there)
    assert await verdict(known, new, NOW + COOLDOWN - 1) == "unknown_key"
    assert await verdict(known, new, NOW + COOLDOWN) == "good"
    assert await verdict(known, old, NOW + COOLDOWN) == "good"
    assert there.asked[JWKS] == 2


async def test_a_key_that_is_withdrawn_is_trusted_no_more(
    there: OutsideIssuer, known: OutsideIssuers
) -> None:
    there.headers["Cache-Control"] = "max-age=60"
    old = parsed(there)
    assert await verdict(known, old) == "good"
    there.rotate(keeps_old=False)
    assert await verdict(known, old, NOW + 59) == "good"
    assert await verdict(known, old, NOW + 60) == "unknown_key"


async def test_of_many_unknown_kids_one_asks(there: OutsideIssuer, known: OutsideIssuers) -> None:
    assert await verdict(known, parsed(there)) == "good"
    there.key = SigningKey.generate("ES256")
    later = NOW + COOLDOWN
    verdicts = await asyncio.gather(*(verdict(known, parsed(there), later) for _ in range(20)))
    assert set(verdicts) == {"unknown_key"}
    assert there.asked[JWKS] == 2


async def test_of_many_who_come_first_one_asks(there: OutsideIssuer, known: OutsideIssuers) -> None:
    verdicts = await asyncio.gather(*(verdict(known, parsed(there)) for _ in range(20)))
    assert set(verdicts) == {"good"}
    assert there.asked == {DISCOVERY: 1, JWKS: 1}


async def test_who_hangs_up_does_not_take_the_answer_along(
    there: OutsideIssuer, known: OutsideIssuers
) -> None:
    first = asyncio.create_task(verdict(known, parsed(there)))
    second = asyncio.create_task(verdict(known, parsed(there)))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "good"
    assert there.asked[JWKS] == 1


BAD = {
    "no JSON": b"<html>",
    "no keys": b'{"keys":[]}',
    "a member twice": b'{"keys":[],"keys":[]}',
    "two of one kid": b'{"keys":[{"kid":"a"},{"kid":"a"}]}',
    "too long": b'{"keys":"' + b"x" * 600_000 + b'"}',
}


@pytest.mark.parametrize("what", BAD)
async def test_a_bad_answer_takes_no_good_keys(
    there: OutsideIssuer, known: OutsideIssuers, what: str
) -> None:
    token = parsed(there)
    assert await verdict(known, token) == "good"
    good, there.documents[JWKS] = there.documents[JWKS], BAD[what]
    assert await verdict(known, token, NOW + 3600) == "good"
    assert there.asked[JWKS] == 2
    assert await verdict(known, token, NOW + 3600 + COOLDOWN - 1) == "good"
    assert there.asked[JWKS] == 2, "it is asked again after the cooldown alone"
    assert await verdict(known, token, NOW + MAX_KEYS_AGE + 1) == "keys_unavailable"
    there.documents[JWKS] = good
    assert await verdict(known, token, NOW + MAX_KEYS_AGE + 1 + COOLDOWN) == "good"


@pytest.mark.parametrize("what", BAD)
async def test_an_issuer_without_good_keys_is_not_asked_again_at_once(
    there: OutsideIssuer, known: OutsideIssuers, what: str
) -> None:
    there.documents[JWKS] = BAD[what]
    token = parsed(there)
    verdicts = [await verdict(known, token, NOW + seconds) for seconds in (0, 1, COOLDOWN - 1)]
    assert set(verdicts) == {"keys_unavailable"}
    assert there.asked[JWKS] == 1


async def test_what_an_issuer_may_not_publish(there: OutsideIssuer, known: OutsideIssuers) -> None:
    good = json.loads(there.documents[DISCOVERY])
    moments = iter(range(0, 10_000, 100))
    for changes, says in (
        ({"issuer": there.url + "/"}, "another issuer's"),
        ({"issuer": None}, "another issuer's"),
        ({"jwks_uri": None}, "no jwks_uri"),
        ({"jwks_uri": there.url + "/elsewhere"}, "status 404"),
    ):
        there.documents[DISCOVERY] = json.dumps(good | changes).encode()
        assert says in await why(known, there.url, NOW + next(moments))
    there.documents[DISCOVERY] = b"<html>"
    assert "no JSON object" in await why(known, there.url, NOW + next(moments))
    assert there.asked[JWKS] == 0


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("http://ci.example/jwks", "https"),
        ("https://10.0.0.1/jwks", "no public address"),
        ("https://10.1/jwks", "four decimal numbers"),
        ("file:///etc/passwd", "issuer's URL"),
    ],
)
async def test_where_its_keys_may_not_be(
    there: OutsideIssuer, known: OutsideIssuers, uri: str, says: str
) -> None:
    there.documents[DISCOVERY] = json.dumps({"issuer": there.url, "jwks_uri": uri}).encode()
    for now in (NOW, NOW + 100):
        with pytest.raises(RefusedAddress, match=says):
            await known.check_reachable(there.url, now)
    there.documents[DISCOVERY] = b"{}"
    assert "another issuer's" in await why(known, there.url, NOW + 200)


async def test_no_redirect_is_followed(there: OutsideIssuer, known: OutsideIssuers) -> None:
    with outside_issuer() as elsewhere:
        for place in (DISCOVERY, JWKS):
            there.redirects = {place: elsewhere.url + place}
            assert "status 302" in await why(known, there.url, NOW + 100 * len(place))
        assert not elsewhere.asked


async def test_it_is_not_waited_for_without_end(
    known: OutsideIssuers, monkeypatch: pytest.MonkeyPatch
) -> None:
    from issuer.outside import discovery

    monkeypatch.setattr(discovery, "DEADLINE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert "no answer in time" in await why(known, url)


async def test_nobody_listens_there(known: OutsideIssuers) -> None:
    assert "connection attempts failed" in await why(known, "http://127.0.0.1:9")


async def test_a_clock_that_is_set_back_stops_nothing(there: OutsideIssuer, known: OutsideIssuers) -> None:
    assert await verdict(known, parsed(there)) == "good"
    there.rotate()
    assert await verdict(known, parsed(there), NOW - 86400) == "good"


async def test_memory_is_bounded_and_who_has_keys_stays(there: OutsideIssuer, known: OutsideIssuers) -> None:
    assert await verdict(known, parsed(there)) == "good"
    known.note_taken(there.url)
    for number in range(MAX_ISSUERS + 10):
        with pytest.raises(Unavailable):
            await known._fresh(f"https://10.0.0.1/{number}", NOW)
    assert len(known._known) == MAX_ISSUERS
    assert await verdict(known, parsed(there)) == "good"
    assert there.asked[JWKS] == 1


async def test_at_an_issuer_that_is_no_url_nothing_is_asked(known: OutsideIssuers) -> None:
    with pytest.raises(RefusedAddress, match="spelt as in"):
        await known.check_reachable("ci.example", NOW)
    assert known._known == {}, "who only wonders leaves nothing behind"


async def test_closing_ends_what_is_under_way() -> None:
    asked = asyncio.Event()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()  # until whoever asks hangs up
        writer.close()

    async with await asyncio.start_server(never_answer, "127.0.0.1", 0) as silent:
        issuers = OutsideIssuers(HERE)
        url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
        asking = asyncio.create_task(issuers.check_reachable(url, NOW))
        await asked.wait()
        await issuers.close()
        with pytest.raises(asyncio.CancelledError):
            await asking
