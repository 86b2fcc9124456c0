"""What survives a restart: keys, lists and the version floor, but nothing that somebody else wrote."""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from keys import SigningKey
from tests.verifier import forge
from tests.verifier.forge import ISSUER, LIST_URI, NOW
from tests.verifier.issuer_double import (
    JWKS,
    LIST,
    IssuerDouble,
    Request,
    as_issuer,
    eventually,
    hurry,
    verdict,
)
from verifier import DocumentError, Trust, refresh, snapshot

CACHE = "cache.json"


def _loaded(path: Path, now: float = NOW) -> Trust:
    trust = Trust(ISSUER)
    snapshot.load(path, trust, now=now)
    return trust


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A saved cache."""
    path = tmp_path / CACHE
    snapshot.save(path, forge.trust(forge.status_list(forge.INDEX, version=7)))
    return path


def test_what_is_saved_is_loaded_without_a_word(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    trust = _loaded(path)
    assert trust.keys.keys() == {forge.key().kid}
    assert trust.lists[LIST_URI].content.status(forge.INDEX) == 1
    assert caplog.text == ""


def test_the_version_floor_comes_back_without_the_list_that_set_it(tmp_path: Path) -> None:
    other = SigningKey.generate("ES256")
    trust = forge.trust(forge.status_list(version=7, signer=other), keys=(forge.key(), other))
    trust.update_keys(forge.jwks(), now=NOW)
    snapshot.save(tmp_path / CACHE, trust)
    with pytest.raises(DocumentError) as refusal:
        _loaded(tmp_path / CACHE).update_status_list(forge.status_list(version=6), now=NOW)
    assert refusal.value.code == "revocation_rollback"


def test_the_version_floor_comes_back(path: Path) -> None:
    with pytest.raises(DocumentError) as refusal:
        _loaded(path).update_status_list(forge.status_list(version=6), now=NOW)
    assert refusal.value.code == "revocation_rollback"


@pytest.mark.parametrize(("now", "updated_at"), [(NOW + 5000, NOW), (NOW - 5000, NOW - 5000)])
def test_keys_grow_no_younger_in_the_file(path: Path, now: float, updated_at: float) -> None:
    """Nor older than now, where the clock was put back."""
    assert _loaded(path, now).keys_updated_at == updated_at


def test_only_the_owner_may_read_the_file_and_nothing_else_is_left(path: Path) -> None:
    path.chmod(0o644)
    snapshot.save(path, forge.trust())
    assert path.stat().st_mode & 0o777 == 0o600
    assert [child.name for child in path.parent.iterdir()] == [CACHE]


def test_a_reader_sees_the_whole_old_file_or_the_whole_new_one(path: Path) -> None:
    before = path.read_text()
    with path.open() as file:
        snapshot.save(path, forge.trust(forge.status_list(version=8)))
        assert file.read() == before
    assert _loaded(path).lists[LIST_URI].content.version == 8


def test_a_missing_file_is_no_news(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert not _loaded(tmp_path / CACHE).keys
    assert caplog.text == ""


def _changed(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(forge.present(json.loads(path.read_text()) | changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://other.example"},
        {"issuer": forge.ABSENT},
        {"jwks": forge.ABSENT},
        {"jwks": ["text"]},
        {"jwks": '{"keys": []}'},
        {"keys_updated_at": None},
        {"keys_updated_at": "yesterday"},
        {"status_lists": "text"},
    ],
    ids=[
        "other issuer",
        "no issuer",
        "no keys",
        "keys as list",
        "no key",
        "no age",
        "age as text",
        "lists as text",
    ],
)
def test_a_foreign_or_incomplete_file_is_passed_over(
    changes: dict[str, Any], path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _changed(path, **changes)
    assert not _loaded(path).keys
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert str(path) in caplog.text


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{", b"[" * 10**5, b'{"jwks":"\\ud800"}'])
def test_a_corrupted_file_is_passed_over(
    content: bytes, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(content)
    assert not _loaded(path).keys
    assert "was passed over" in caplog.text


@pytest.mark.parametrize(
    "document",
    ["", "text", 5, None, forge.status_list(signer=forge.key(owner="next")).decode()],
    ids=["empty", "text", "number", "null", "unknown key"],
)
def test_a_bad_list_costs_the_list_alone(
    document: object, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _changed(path, status_lists=[document])
    trust = _loaded(path)
    assert trust.keys
    assert not trust.lists
    assert "was passed over" in caplog.text


def test_a_folder_in_its_place_is_passed_over_and_not_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / CACHE).mkdir()
    assert not _loaded(tmp_path / CACHE).keys
    snapshot.save(tmp_path / CACHE, forge.trust())
    assert "was passed over" in caplog.text
    assert "could not be written" in caplog.text
    assert [child.name for child in tmp_path.iterdir()] == [CACHE]


def test_is_written_where_it_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Across file systems nothing can be replaced in one step."""
    monkeypatch.setattr(tempfile, "tempdir", str(path.parent / "absent"))
    snapshot.save(path, forge.trust(forge.status_list(version=8)))
    assert _loaded(path).lists[LIST_URI].content.version == 8


def test_a_folder_that_is_not_there_costs_a_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    snapshot.save(tmp_path / "absent" / CACHE, forge.trust())
    assert "could not be written" in caplog.text


@pytest.mark.parametrize(
    ("owner", "reader", "taken"), [(1001, 1001, True), (1001, 1002, False), (0, 1002, True)]
)
def test_the_file_of_another_user_is_passed_over(
    owner: int, reader: int, taken: bool, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fstat = os.fstat

    def owned(descriptor: int) -> os.stat_result:
        fields = list(fstat(descriptor))
        fields[4] = owner
        return os.stat_result(fields)

    monkeypatch.setattr(os, "fstat", owned)
    monkeypatch.setattr(os, "geteuid", lambda: reader)
    assert bool(_loaded(path).keys) == taken


def test_a_verifier_that_starts_without_its_issuer_knows_what_it_knew(tmp_path: Path) -> None:
    with IssuerDouble() as issuer:
        token = issuer.token()
        with issuer.verifier(cache_path=tmp_path / CACHE):
            pass
        issuer.answers[JWKS] = issuer.answers[LIST] = lambda request: request.send(b"", 503)
        with issuer.verifier(cache_path=str(tmp_path / CACHE)) as verifier:
            assert verdict(verifier, token) == "good"


def test_a_verifier_with_a_cache_still_waits_for_news(tmp_path: Path) -> None:
    def be_slow(request: Request) -> None:
        time.sleep(0.1)
        as_issuer(request)

    with IssuerDouble() as issuer:
        with issuer.verifier(cache_path=tmp_path / CACHE):
            pass
        issuer.publish(forge.INDEX)
        issuer.answers[LIST] = be_slow
        with issuer.verifier(cache_path=tmp_path / CACHE) as verifier:
            assert verdict(verifier, issuer.token()) == "revoked"


def test_new_keys_are_saved_without_a_new_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "_KEYS_AGE", (0.01, 0.01))
    with IssuerDouble() as issuer, issuer.verifier(cache_path=tmp_path / CACHE):
        issuer.jwks = forge.jwks(forge.key(), forge.key(owner="next"))
        eventually(lambda: forge.key(owner="next").kid in (tmp_path / CACHE).read_text())


def test_an_older_list_is_refused_after_a_restart_too(tmp_path: Path) -> None:
    with IssuerDouble() as issuer:
        token = issuer.token()
        issuer.publish(forge.INDEX, version=7)
        with issuer.verifier(cache_path=tmp_path / CACHE) as verifier:
            assert verdict(verifier, token) == "revoked"
        issuer.publish(version=6)
        with issuer.verifier(cache_path=tmp_path / CACHE) as verifier:
            issuer.await_more(LIST, 3)
            assert verdict(verifier, token) == "revoked"


def test_keys_of_the_cache_expire_as_if_nothing_had_been_restarted(tmp_path: Path) -> None:
    with IssuerDouble() as issuer:
        token = issuer.token()
        with issuer.verifier(cache_path=tmp_path / CACHE):
            pass
        _changed(tmp_path / CACHE, keys_updated_at=1_000_000_000)
        issuer.answers[JWKS] = lambda request: request.send(b"", 503)
        with issuer.verifier(cache_path=tmp_path / CACHE) as verifier:
            assert verdict(verifier, token) == "keys_unavailable"


def test_a_relative_path_keeps_its_meaning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with IssuerDouble() as issuer:
        verifier = issuer.verifier(wait=0, cache_path=CACHE)
        monkeypatch.chdir(tmp_path / "elsewhere")
        issuer.await_requests(LIST, 2)
        verifier.close()
    assert (tmp_path / CACHE).exists()
