"""The form of a compact JWS: every rule that refuses, each broken alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import base64url
from tests.verifier import forge
from verifier import TokenError, jws, strict_json

PAYLOAD = b'{"a":1}'
SIGNATURE = b"\x01\x02\x03\x04"


def spell(header: bytes | dict[str, Any], payload: bytes = PAYLOAD, signature: bytes = SIGNATURE) -> str:
    data = header if isinstance(header, bytes) else json.dumps(header).encode()
    return b".".join(map(base64url.encode, (data, payload, signature))).decode()


def refusal(raw: Any) -> TokenError:
    with pytest.raises(TokenError) as refused:
        jws.parse(raw)
    assert refused.value.code == "malformed"
    return refused.value


def test_reads_a_token_of_good_form() -> None:
    raw = spell({"alg": "ES256", "kid": "k", "typ": "at+jwt", "jku": "https://evil.example", "jwk": {}})
    assert jws.parse(raw) == jws.UnverifiedJws(
        jws.Header(algorithm="ES256", kid="k", typ="at+jwt"),
        signing_input=raw.rpartition(".")[0].encode(),
        payload=PAYLOAD,
        signature=SIGNATURE,
    )


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+JWT"])
def test_a_type_has_one_spelling_here(typ: str) -> None:
    assert jws.parse(spell({"alg": "ES256", "typ": typ})).header.typ == "at+jwt"


def test_kid_and_typ_may_be_missing_and_payload_and_signature_empty() -> None:
    parsed = jws.parse(spell({"alg": "none"}, b"", b""))
    assert (parsed.header.kid, parsed.header.typ, parsed.payload, parsed.signature) == (None, None, b"", b"")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({}, "alg is missing or not text"),
        ({"alg": None}, "alg is missing or not text"),
        ({"alg": 7}, "alg is missing or not text"),
        ({"alg": True}, "alg is missing or not text"),
        ({"alg": ["ES256"]}, "alg is missing or not text"),
        ({"alg": {"ES256": 1}}, "alg is missing or not text"),
        ({"alg": "ES256", "kid": 7}, "kid or typ is not text"),
        ({"alg": "ES256", "kid": ["k"]}, "kid or typ is not text"),
        ({"alg": "ES256", "kid": {"k": 1}}, "kid or typ is not text"),
        ({"alg": "ES256", "kid": False}, "kid or typ is not text"),
        ({"alg": "ES256", "typ": 7}, "kid or typ is not text"),
        ({"alg": "ES256", "typ": ["at+jwt"]}, "kid or typ is not text"),
        ({"alg": "ES256", "crit": ["exp"]}, "a header that is not understood here"),
        ({"alg": "ES256", "crit": []}, "a header that is not understood here"),
        ({"alg": "ES256", "crit": None}, "a header that is not understood here"),
        ({"alg": "ES256", "b64": False}, "a header that is not understood here"),
        ({"alg": "ES256", "b64": True}, "a header that is not understood here"),
        ({"alg": "ES256", "zip": "DEF"}, "a header that is not understood here"),
        ({"alg": "ES256", "enc": "A256GCM"}, "a header that is not understood here"),
        (b'{"alg":"ES256","alg":"ES256"}', "a member appears twice"),
        (b'{"alg":"ES256","\\u0061lg":"none"}', "a member appears twice"),
        (b'{"alg":"ES256","x":{"y":1,"y":2}}', "a member appears twice"),
        (b'{"alg":"ES256","x":NaN}', "NaN is not JSON"),
        (b'{"alg":"ES256","x":Infinity}', "Infinity is not JSON"),
        (b'{"alg":"ES256","x":' + b"[" * 8 + b"]" * 8 + b"}", "nested too deeply"),
        (b'{"alg":"ES256","x":' + b"[" * 2500 + b"]" * 2500 + b"}", "nested too deeply"),
        (b'["alg"]', "not a JSON object"),
        (b'"alg"', "not a JSON object"),
        (b'\xef\xbb\xbf{"alg":"ES256"}', "not ASCII, base64url or JSON"),
        (b'{"alg":"ES256\xff"}', "not ASCII, base64url or JSON"),
        (b'{"alg":"ES256","kid":"\\ud800"}', "not ASCII, base64url or JSON"),
        (b'{"alg":"ES256"}{}', "not a JSON object"),
        (b"", "not ASCII, base64url or JSON"),
        (b"alg", "not ASCII, base64url or JSON"),
    ],
)
def test_header_rules(header: bytes | dict[str, Any], reason: str) -> None:
    assert refusal(spell(header)).detail.startswith(reason)


@pytest.mark.parametrize("raw", [None, 7, 1.5, b"a.b.c", ["a", "b", "c"], {"a": "b"}, object()])
def test_a_token_is_text(raw: object) -> None:
    assert refusal(raw).detail == "a token is text"


@pytest.mark.parametrize(
    "raw", ["", "a", ".", "a.b", "...", "a.b.c.d", "a.b.c.d.e", spell({"alg": "ES256"}) + ".", "." * 8192]
)
def test_segments_are_three(raw: str) -> None:
    assert refusal(raw).detail == "not three segments"


HEADER, BODY, TAIL = spell({"alg": "ES256"}, b"\x00\x00\x01", b"\x00\x00\x01").split(".")


@pytest.mark.parametrize(
    "segment",
    [
        "A",
        "AB",
        "AAB",
        "AA==",
        "AAA=",
        "A===",
        "AAAA=",
        "AA+A",
        "AA/A",
        "AA A",
        "AAA\n",
        "AA\tA",
        "AA,A",
        "AA~A",
        "A\0AA",
    ],
)
@pytest.mark.parametrize("position", [0, 1, 2])
def test_base64url_is_canonical(segment: str, position: int) -> None:
    segments = [HEADER, BODY, TAIL]
    segments[position] = segment
    refusal(".".join(segments))


@pytest.mark.parametrize(
    "raw",
    [
        f" {HEADER}.{BODY}.{TAIL}",
        f"{HEADER}.{BODY}.{TAIL} ",
        f"{HEADER}.{BODY}.{TAIL}\n",
        f"Bearer {HEADER}.{BODY}.{TAIL}",
        f"{HEADER}=.{BODY}.{TAIL}",
        f"{HEADER}.{BODY}.{TAIL[:-1]}\u00e9",
        f"{HEADER}.{BODY}.{TAIL[:-1]}\uff21",
        f"{HEADER}.{BODY}.{TAIL[:-1]}\ud800",
        "..",
    ],
)
def test_nothing_around_or_between(raw: str) -> None:
    jws.parse(f"{HEADER}.{BODY}.{TAIL}")
    refusal(raw)


def test_size_is_checked_before_anything_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []
    monkeypatch.setattr(strict_json, "parse_object", decoded.append)
    monkeypatch.setattr(base64url, "decode", decoded.append)
    for raw in ("a" * (jws.MAX_TOKEN_CHARACTERS + 1), "." * 1_000_000, "a.b.c.d"):
        refusal(raw)
    assert not decoded


def test_the_largest_token_is_still_read() -> None:
    raw = f"{HEADER}.{BODY}.".ljust(jws.MAX_TOKEN_CHARACTERS, "A")
    assert len(raw.rpartition(".")[2]) % 4 != 1, "no spelling has this length"
    jws.parse(raw)
    with pytest.raises(TokenError, match="longer than 8192 characters"):
        jws.parse(raw + "A")
    with pytest.raises(TokenError, match="longer than 8191 characters"):
        jws.parse(raw, len(raw) - 1)


@given(st.text(max_size=40) | st.tuples(st.text(), st.text(), st.text()).map(".".join))
def test_nothing_but_malformed_escapes(raw: str) -> None:
    try:
        jws.parse(raw)
    except TokenError as error:
        assert error.code == "malformed"  # noqa: PT017 - most of them are refused, not all


@given(st.integers(0, len(forge.token()) - 1), st.characters())
def test_a_refusal_never_quotes_the_token(position: int, character: str) -> None:
    raw = forge.token()
    changed = raw[:position] + character + raw[position + 1 :]
    try:
        jws.parse(changed)
    except TokenError as error:
        shown = f"{error} {error.detail} {error!r}"
        segments = (part for part in raw.split(".") for part in (part, part[:12], part[-12:]))
        hidden = error.__cause__ is None and (error.__suppress_context__ or error.__context__ is None)
        assert hidden, "the text of a decoding error may hold a part of the token"
        assert not any(part in shown for part in segments)
