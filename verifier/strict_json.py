"""JSON as RFC 8259 and RFC 7493 (I-JSON) mean it: one object, UTF-8, no member twice, no NaN, bounded depth.

What two parsers could read differently is refused, so that nobody downstream can be told another story.
"""

import json

MAX_DEPTH = 8
_WHITESPACE = " \t\n\r"


def parse_object(data: bytes) -> dict[str, object]:
    """The object that `data` spells. Raises ValueError for everything else, without quoting it."""
    try:
        # A byte order mark is refused here too: "utf-8" leaves it in and the decoder has no place for it.
        text = data.decode("utf-8").strip(_WHITESPACE)
        value, end = _decoder.raw_decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if type(value) is not dict or end != len(text):
        raise ValueError("not a JSON object")
    # With so few brackets nothing is deep, and almost every object has so few.
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH:
        _check_depth(value, MAX_DEPTH)
    if b"\\u" in data:
        _check_surrogates(value)
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member appears twice")
    return members


def _constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _check_depth(value: dict[str, object] | list[object], left: int) -> None:
    if not left:
        raise ValueError("nested too deeply")
    for item in value.values() if type(value) is dict else value:
        if type(item) is dict or type(item) is list:
            _check_depth(item, left - 1)


def _check_surrogates(value: object) -> None:
    """Half a surrogate pair is no text (RFC 7493 section 2.1) and would break whoever prints it."""
    json.dumps(value, ensure_ascii=False).encode("utf-8")


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
