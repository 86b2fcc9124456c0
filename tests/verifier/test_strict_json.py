"""One story for every parser: what two of them could read differently is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.strict_json import parse_object


def nested(depth: int, opening: bytes, closing: bytes) -> bytes:
    """An object around arrays or objects, `depth` levels in all."""
    return b'{"a":' + opening * (depth - 1) + b"1" + closing * (depth - 1) + b"}"


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"{}", {}),
        (b' {\n\t"a" : [1, {"b": null}] }\r\n', {"a": [1, {"b": None}]}),
        (b'{"a":{"a":1},"b":{"a":2}}', {"a": {"a": 1}, "b": {"a": 2}}),
        (b'{"a":"\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        (b'{"a":"\xc3\xa9","b":"\\u00e9"}', {"a": "\u00e9", "b": "\u00e9"}),
        (b'{"a":"\\\\ud800"}', {"a": "\\ud800"}),
        (b'{"a":"\\u0000"}', {"a": "\0"}),
        (b'{"a":-0.5e3,"b":1E2,"c":true}', {"a": -500.0, "b": 100.0, "c": True}),
    ],
)
def test_reads(data: bytes, value: dict[str, Any]) -> None:
    assert parse_object(data) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"[]",
        b"[{}]",
        b"null",
        b"1",
        b'"{}"',
        b"{",
        b"{}}",
        b"{}{}",
        b"{} x",
        b"{}\0",
        b"{'a':1}",
        b"{a:1}",
        b'{"a":1,}',
        b'{"a":01}',
        b'{"a":+1}',
        b'{"a":.5}',
        b'{"a":0x1}',
        b'{"a":1_000}',
        b'{"a":True}',
        b'{"a":1}//',
        b'{"a":"\t"}',
        b'{"a":"\0"}',
        b'{"a":"\\x41"}',
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\0}\0",
        b'{"a":"\xff"}',
        b'{"a":"\xc0\xaf"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1,"a":1}',
        b'{"a":1,"\\u0061":2}',
        b'{"b":{"a":1,"a":2}}',
        b'{"b":[{"a":1,"a":2}]}',
        b'{"a":"\\ud800"}',
        b'{"a":"\\ude00\\ud83d"}',
        b'{"\\udfff":1}',
        b'{"a":["\\ud800"]}',
        b'{"a":' + b"1" * 5000 + b"}",
    ],
)
def test_refuses(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of the decoders' own kinds of it will do
        parse_object(data)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_depth_is_bounded(opening: bytes, closing: bytes) -> None:
    levels = opening.count(b"[") + opening.count(b"{")
    parse_object(nested(1 + 7 // levels, opening, closing))
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_object(nested(2 + 7 // levels, opening, closing))


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":' + b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        nested(100_000, b'{"a":', b"}"),
    ],
    ids=["arrays", "objects", "no object", "closed"],
)
def test_a_tower_of_brackets_is_an_ordinary_refusal(data: bytes) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_object(data)


def test_a_refusal_does_not_quote() -> None:
    with pytest.raises(ValueError, match="a member appears twice") as refusal:
        parse_object(b'{"secret":1,"secret":2}')
    assert "secret" not in str(refusal.value)


_scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(), _scalars | st.lists(_values, max_size=2), max_size=4), st.booleans())
def test_reads_what_json_writes(value: dict[str, Any], ascii_only: bool) -> None:
    try:
        data = json.dumps(value, ensure_ascii=ascii_only).encode()
    except UnicodeEncodeError:
        return
    try:
        assert parse_object(data) == value
    except ValueError as refusal:
        assert "nested too deeply" in str(refusal) or "surrogates" in str(refusal)  # noqa: PT017 - either is right


@given(
    st.binary(max_size=60)
    | st.text(max_size=40).map(lambda text: f'{{"a":"{text}"}}'.encode(errors="surrogatepass"))
)
def test_nothing_but_a_value_error_escapes(data: bytes) -> None:
    try:
        value = parse_object(data)
    except ValueError:
        return
    assert type(value) is dict
    json.dumps(value, ensure_ascii=False).encode()
