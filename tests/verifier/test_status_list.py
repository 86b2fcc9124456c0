"""Status lists: the specification's own examples, both directions, and every bound."""

from __future__ import annotations

import json
import random
import re
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import base64url
from tests.vectors import read
from tests.verifier import forge
from verifier import jws
from verifier.status_list import ENTRIES, MAX_DOCUMENT_CHARACTERS, TYP, OversizedList, StatusList

# The entries that are not zero, as the specification's appendix lists them beside each encoding.
SPECIFIED: dict[str, dict[int, int]] = {
    "encoding": dict.fromkeys((0, 3, 4, 5, 7, 8, 9, 13, 15), 1),
    "encoding2": {0: 1, 1: 2, 3: 3, 5: 1, 7: 1, 8: 1, 9: 2, 10: 3, 11: 3},
    "encoding1_long": dict.fromkeys(
        (0, 1993, 25460, 159495, 495669, 554353, 645645, 723232, 854545, 934534, 1000345), 1
    ),
    "encoding2_long": {
        0: 1, 1993: 2, 25460: 1, 159495: 3, 495669: 1, 554353: 1, 645645: 2, 723232: 1, 854545: 1,
        934534: 2, 1000345: 3,
    },
    "encoding4": {
        0: 1, 1993: 2, 35460: 3, 459495: 4, 595669: 5, 754353: 6, 845645: 7, 923232: 8, 924445: 9,
        934534: 10, 1004534: 11, 1000345: 12, 1030203: 13, 1030204: 14, 1030205: 15,
    },
}  # fmt: skip


def payload(**changes: Any) -> bytes:
    """The payload of a good list of eight bytes, with changes to its claims."""
    claims = {
        "iss": forge.ISSUER,
        "sub": forge.LIST_URI,
        "iat": forge.NOW,
        "exp": forge.NOW + 60,
        "ttl": 30,
        "version": 7,
        "status_list": encoded(bytes(8)),
    }
    return json.dumps(forge.present(claims | changes)).encode()


def encoded(statuses: bytes, bits: Any = 1) -> dict[str, Any]:
    return {"bits": bits, "lst": base64url.encode(zlib.compress(statuses)).decode()}


def with_lst(data: bytes) -> bytes:
    return payload(status_list={"bits": 1, "lst": base64url.encode(data).decode()})


def parsed(data: bytes) -> StatusList:
    return StatusList.from_payload(data, forge.ISSUER)


def example(name: str) -> StatusList:
    """A list of the specification's folder: JSON whose text is wrapped."""
    text = read(f"status_list/status_list_{name}_json.md")
    status_list = json.loads(re.sub(r"\s", "", text[text.index("{") :]))
    return parsed(payload(status_list=status_list))


@pytest.mark.parametrize("name", SPECIFIED)
def test_specified_examples(name: str) -> None:
    content = example(name)
    size = len(content.statuses) * 8 // content.bits
    assert {index: status for index in range(size) if (status := content.status(index))} == SPECIFIED[name]
    with pytest.raises(IndexError):
        content.status(size)


def test_specified_example_of_eight_bits() -> None:
    content = example("encoding8")
    assert (content.bits, len(content.statuses)) == (8, ENTRIES)
    statuses = [content.status(index) for index in range(ENTRIES)]
    assert sorted(filter(None, statuses)) == list(range(1, 256))
    assert [statuses[index] for index in (233478, 52451, 66653, 62489)] == [0, 1, 9, 10]


def test_specified_jwt() -> None:
    """Its signer's key is not published with it: the form and the content are all there is to read."""
    raw = re.sub(r"\s", "", read("status_list/status_list_jwt_raw.md"))
    token = jws.parse(raw)
    assert (token.header.algorithm, token.header.kid, token.header.typ) == ("ES256", "12", TYP)
    content = StatusList.from_payload(token.payload, "https://example.com")
    assert (content.uri, content.ttl, content.expires_at) == (
        "https://example.com/statuslists/1",
        43200,
        2291720170,
    )
    assert content.version == 0
    assert content.statuses == bytes([0xB9, 0xA3])
    with pytest.raises(ValueError, match="another issuer's"):
        StatusList.from_payload(token.payload, forge.ISSUER)


_seconds = st.integers(0, 2**40)
_lists = st.builds(
    StatusList,
    uri=st.text(),
    bits=st.sampled_from((1, 2, 4, 8)),
    statuses=st.binary(max_size=64),
    issued_at=_seconds,
    expires_at=_seconds,
    ttl=_seconds,
    version=_seconds,
)


@given(_lists, st.text())
def test_list_and_payload_are_inverse(content: StatusList, issuer: str) -> None:
    assert StatusList.from_payload(content.to_payload(issuer), issuer) == content


@given(st.data(), st.sampled_from((1, 2, 4, 8)))
def test_statuses_fill_each_byte_from_its_low_end(data: st.DataObject, bits: int) -> None:
    wanted = data.draw(st.lists(st.integers(0, 2**bits - 1), max_size=40))
    number = sum(status << index * bits for index, status in enumerate(wanted))
    statuses = number.to_bytes(-(-len(wanted) * bits // 8), "little")
    content = parsed(payload(status_list=encoded(statuses, bits)))
    assert [content.status(index) for index in range(len(wanted))] == wanted


@given(st.sets(st.integers(0, ENTRIES - 1), max_size=20))
def test_of_sets_exactly_these(invalid: set[int]) -> None:
    content = StatusList.of("u", invalid, version=3, now=1000, ttl=15, lifetime=3600)
    assert (content.version, content.issued_at, content.expires_at, content.ttl) == (3, 1000, 4600, 15)
    assert sum(byte.bit_count() for byte in content.statuses) == len(invalid)
    assert all(content.status(index) == 1 for index in invalid)
    assert parsed(content.to_payload(forge.ISSUER)) == content


def test_every_index_of_a_whole_list_is_in_range() -> None:
    content = StatusList.of("u", (), version=1, now=0, ttl=15, lifetime=1)
    assert content.status(ENTRIES - 1) == 0
    for index in (ENTRIES, 2**63, 2**200):
        with pytest.raises(IndexError):
            content.status(index)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"},
        {"iss": None},
        {"iss": [forge.ISSUER]},
        {"sub": forge.ABSENT},
        {"sub": None},
        {"sub": 7},
        {"iat": forge.ABSENT},
        {"iat": None},
        {"iat": "1900000000"},
        {"iat": 1.5},
        {"iat": True},
        {"iat": -1},
        {"exp": forge.ABSENT},
        {"exp": None},
        {"exp": -1},
        {"ttl": None},
        {"ttl": "15"},
        {"ttl": -1},
        {"version": None},
        {"version": "1"},
        {"version": 1.0},
        {"version": -1},
        {"status_list": forge.ABSENT},
        {"status_list": None},
        {"status_list": []},
        {"status_list": {}},
        {"status_list": {"bits": 1}},
        {"status_list": {"bits": 1, "lst": None}},
        {"status_list": {"bits": 1, "lst": 7}},
        {"status_list": {"bits": 1, "lst": ""}},
        {"status_list": {"bits": 1, "lst": "bm90IHpsaWI"}},
        {"status_list": {"bits": 1, "lst": "\u00e9"}},
        {"status_list": {"bits": 1, "lst": "eNrbuRgAAhcBXQ=="}},
        {"status_list": {"bits": 1, "lst": "eNrbuRgAAhcBXR"}},
        *({"status_list": encoded(bytes(8), bits)} for bits in (0, 3, 5, 16, -1, None, "1", True, 1.0, [1])),
        {"status_list": {"lst": "eNrbuRgAAhcBXQ"}},
    ],
)
def test_refuses(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which one is the document's own business
        parsed(payload(**changes))


def test_the_example_in_the_refusals_is_good_when_spelled_right() -> None:
    assert parsed(payload(status_list={"bits": 1, "lst": "eNrbuRgAAhcBXQ"})).statuses == bytes([0xB9, 0xA3])


def test_issuer_ttl_and_version_may_be_missing() -> None:
    content = parsed(payload(iss=forge.ABSENT, ttl=forge.ABSENT, version=forge.ABSENT))
    assert (content.ttl, content.version) == (15, 0)


@pytest.mark.parametrize("data", [b"[]", b"{}", b"", b"\xff", payload() + b" {}", payload()[:-1]])
def test_the_payload_is_one_object(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which one is the parser's own business
        parsed(data)


GOOD = zlib.compress(bytes(1000), level=0)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "cut off"),
        (GOOD[:1], "cut off"),
        (GOOD[:-1], "cut off"),
        (GOOD[:-4], "cut off"),
        (GOOD[:500], "cut off"),
        (GOOD + b"\0", "followed by something else"),
        (GOOD + GOOD, "followed by something else"),
        (GOOD[:-1] + b"\0", "not zlib"),
        (bytes(1000), "not zlib"),
        (b"\x1f\x8b" + GOOD[2:], "not zlib"),
    ],
)
def test_the_zlib_stream_is_whole_and_alone(data: bytes, reason: str) -> None:
    parsed(with_lst(GOOD))
    with pytest.raises(ValueError, match=reason):
        parsed(with_lst(data))


@pytest.mark.parametrize("size", [ENTRIES + 1, 2 * ENTRIES, 64 * ENTRIES])
def test_the_inflated_size_is_bounded(size: int) -> None:
    assert len(parsed(with_lst(zlib.compress(bytes(ENTRIES)))).statuses) == ENTRIES
    with pytest.raises(OversizedList, match="more than a list can hold"):
        parsed(with_lst(zlib.compress(bytes(size))))


@pytest.mark.parametrize(
    ("one", "other", "newer"),
    [
        ((2, 10), (1, 10), True),
        ((2, 5), (1, 10), True),
        ((1, 11), (1, 10), True),
        ((1, 10), (1, 10), False),
        ((1, 9), (1, 10), False),
        ((1, 11), (2, 10), False),
        ((0, 11), (0, 10), True),
        ((0, 10), (0, 11), False),
    ],
)
def test_newer(one: tuple[int, int], other: tuple[int, int], *, newer: bool) -> None:
    (version, issued_at), (other_version, other_issued_at) = one, other
    this = parsed(payload(version=version, iat=issued_at))
    that = parsed(payload(version=other_version, iat=other_issued_at))
    assert (this.age > that.age) is newer


@pytest.mark.parametrize("count", [0, 10_000, ENTRIES // 8])
def test_the_document_of_a_whole_list_fits(
    count: int, record_property: Callable[[str, object], None]
) -> None:
    invalid = random.Random(1).sample(range(ENTRIES), count)
    content = StatusList.of(forge.LIST_URI, invalid, version=1, now=forge.NOW, ttl=15, lifetime=3600)
    document = forge.key().sign(content.to_payload(forge.ISSUER), TYP)
    record_property(f"characters of a list with {count} bits set", len(document))
    assert len(document) < MAX_DOCUMENT_CHARACTERS


def test_a_list_without_a_number_is_older_than_any_with_one() -> None:
    plain = StatusList(uri="u", bits=1, statuses=b"", issued_at=10, expires_at=20, ttl=15)
    assert plain.version == 0
    assert parsed(payload(version=1)).age > plain.age


def test_the_repr_does_not_pour_out_the_list() -> None:
    assert "statuses" not in repr(parsed(payload()))
