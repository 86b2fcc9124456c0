"""`hourmarkd keys`: listed, rotated, revoked, exported."""

from __future__ import annotations

import getpass
import json
import os
import pty
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from keys import KeyEncryptionKey, PublicKey
from tests.issuer.cli.command import Done, assert_refused, hourmarkd
from tests.running_issuer import RunningIssuer, clean_environment, start_issuer
from verifier import Trust, Verifier


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The data of an issuer of one's own, whose keys may change."""
    assert hourmarkd("init --admin admin", tmp_path).code == 0
    return tmp_path


def phases(folder: Path) -> dict[str, str]:
    """Of every key, by `kid`."""
    return {key["kid"]: key["phase"] for key in json.loads(hourmarkd("keys list -o json", folder).out)}


def audited(folder: Path) -> list[tuple[str, str, str]]:
    """Actor, action and target of every change of a signing key."""
    with closing(sqlite3.connect(folder / "hourmark.db")) as database:
        query = "SELECT actor, action, target FROM audit WHERE action LIKE 'signing-key:%' ORDER BY number"
        return list(database.execute(query))


_PATIENCE = 5.0
# The first terminal that the leader of a session opens becomes the one that Ctrl-C comes from.
ON_ITS_TERMINAL = (
    "import os; os.close(os.open(os.ttyname(0), os.O_RDWR)); from issuer.cli import main; main()"
)


def answered(folder: Path, command: str, typed: str) -> Done:
    """Runs it at a terminal, where somebody types this once it has asked."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "wb") as keyboard:
        process = subprocess.Popen(
            [sys.executable, "-c", ON_ITS_TERMINAL, *command.split()],
            env=clean_environment(HOURMARKD_DATA_DIR=str(folder)),
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        os.close(theirs)
        assert process.stderr is not None
        asked = b""
        while b"[y/N]" not in asked and (more := os.read(process.stderr.fileno(), 1024)):
            asked += more
        while True:
            keyboard.write(typed.encode())
            keyboard.flush()
            try:
                out, err = process.communicate(timeout=_PATIENCE)
                break
            except subprocess.TimeoutExpired:
                continue  # Ctrl-C came a moment before the process began to read: a person types it again
    return Done(process.returncode, out.decode(), (asked + err).decode())


def test_keys_are_listed_with_their_phase(made: Path) -> None:
    text, as_json = hourmarkd("keys list", made), hourmarkd("keys list -o json", made)
    assert (text.code, as_json.code) == (0, 0)
    (key,) = json.loads(as_json.out)
    assert set(key) == {"kid", "algorithm", "ring", "phase", "published_at", "signs_from"}
    assert (key["algorithm"], key["ring"], key["phase"]) == ("ES256", "tokens", "current")
    assert text.out.split() == [*key.values()]


def test_another_key_encryption_key_lists_no_keys(made: Path) -> None:
    other = KeyEncryptionKey.generate().to_text()
    assert_refused(hourmarkd("keys list", made, HOURMARKD_KEY_ENCRYPTION_KEY=other), 1, "does not open")


def test_rotating_says_from_when_the_next_key_signs(folder: Path) -> None:
    done = hourmarkd("keys rotate -o json", folder)
    planned = json.loads(done.out)
    assert (done.code, done.err, set(planned)) == (0, "", {"kid", "signs_from"})
    assert sorted(phases(folder).values()) == ["current", "next"]
    assert phases(folder)[planned["kid"]] == "next"
    again = hourmarkd("keys rotate", folder)
    assert (again.code, again.out) == (0, "")
    assert f"{planned['kid']} signs from {planned['signs_from']} on" in again.err
    assert audited(folder)[-1] == (
        f"hourmarkd keys rotate (OS user {getpass.getuser()})",
        "signing-key:rotate",
        planned["kid"],
    )


def test_a_ring_that_there_is_not(made: Path) -> None:
    assert_refused(hourmarkd("keys rotate --ring RS256", made), 1, "no ring RS256", "there are tokens")


def test_revoking_says_what_is_so_now_and_who_learns_it_when(folder: Path) -> None:
    (stolen,) = phases(folder)
    done = hourmarkd(f"keys revoke --yes -- {stolen}", folder)
    assert (done.code, done.out) == (0, "")
    for said in (f"The key {stolen} is revoked.", "Hourmark verifiers", "at most 300 s", "keys export"):
        assert said in done.err
    now = phases(folder)
    assert now.pop(stolen) == "gone"
    assert sorted(now.values()) == ["current", "next"]
    actor = f"hourmarkd keys revoke (OS user {getpass.getuser()})"
    assert (actor, "signing-key:revoke", stolen) in audited(folder)
    again = hourmarkd(f"keys revoke --yes -- {stolen}", folder)
    assert (again.code, f"The key {stolen} was revoked at" in again.err) == (0, True)
    assert phases(folder) == now | {stolen: "gone"}


def test_revoking_as_json(folder: Path) -> None:
    (stolen,) = phases(folder)
    done = hourmarkd(f"keys revoke --yes -o json -- {stolen}", folder)
    said = json.loads(done.out)
    assert (done.err, said["kid"], said["status_list_version"]) == ("", stolen, None), (
        "no list was ever signed"
    )
    assert {said["current"]: "current", said["next"]: "next", stolen: "gone"} == phases(folder)


def test_revoking_is_asked_about_at_a_terminal(folder: Path) -> None:
    (stolen,) = before = phases(folder)
    refused = answered(folder, f"keys revoke -- {stolen}", "n\n")
    assert (refused.code, refused.out.strip()) == (1, "")
    assert f"The key {stolen} is current. Every token that it signed is refused" in refused.err
    assert refused.err.endswith("Nothing was changed.\n")
    assert phases(folder) == before
    assert answered(folder, f"keys revoke -- {stolen}", "y\n").code == 0
    assert phases(folder)[stolen] == "gone"


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_interrupted_at_the_question_is_not_answered_with_no(folder: Path, key: str) -> None:
    (kid,) = before = phases(folder)
    for form, said in (
        ("", "Interrupted."),
        ("-o json ", '{"error": "Interrupted", "code": "interrupted", "hint": null}'),
    ):
        done = answered(folder, f"keys revoke {form}-- {kid}", key)
        assert (done.code, done.out.strip()) == (130, "")
        assert done.err.splitlines()[-1] == said
        assert "Aborted" not in done.err
    assert phases(folder) == before


@pytest.mark.parametrize("kid", ["-xyz", "-oyz"])
def test_a_kid_that_looks_like_an_option(made: Path, kid: str) -> None:
    text = hourmarkd(f"keys revoke {kid}", made)
    assert (text.code, text.out) == (2, "")
    assert "Usage: hourmarkd keys revoke" in text.err
    hint = "a KID that begins with - is written behind --: `hourmarkd keys revoke -- KID`"
    assert text.err.endswith(f"Hint: {hint}\n")
    as_json = json.loads(hourmarkd(f"keys revoke {kid} -o json", made).err)
    assert (as_json["code"], hint in as_json["hint"]) == ("usage", True)


def test_without_a_terminal_yes_must_be_said(made: Path) -> None:
    (kid,) = before = phases(made)
    assert_refused(hourmarkd(f"keys revoke -- {kid}", made), 2, "nothing was changed", "--yes")
    assert phases(made) == before


@pytest.mark.parametrize("options", ["", " --yes"])
def test_a_kid_that_nobody_has(made: Path, options: str) -> None:
    assert_refused(hourmarkd(f"keys revoke nobody{options}", made), 1, "nobody", "`hourmarkd keys list`")


def test_another_issuers_keys_are_not_revoked(tmp_path: Path) -> None:
    """Its list would be signed under a name that is not its own."""
    with start_issuer(tmp_path) as issuer:
        issuer.stop()
        data = tmp_path / "data"
        before = phases(data)
        (kid,), other = before, {"HOURMARKD_ISSUER": "https://other.example"}
        done = hourmarkd(f"keys revoke --yes -- {kid}", data, **other)
        assert_refused(done, 1, f"HOURMARKD_ISSUER={issuer.url}")
        done = hourmarkd(f"keys revoke --yes -o json -- {kid}", data, **other)
        assert json.loads(done.err)["code"] == "other_issuer"
        assert phases(data) == before


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIssuer]:
    with start_issuer(tmp_path_factory.mktemp("exported")) as running:
        yield running


def exported(issuer: RunningIssuer, options: str = "") -> Done:
    return hourmarkd(f"keys export {options}", Path(issuer.settings["HOURMARKD_DATA_DIR"]), **issuer.settings)


def served(issuer: RunningIssuer, path: str) -> bytes:
    with issuer.http("") as http:
        return http.get(path).raise_for_status().content


def test_the_jwks_is_exported_byte_for_byte_as_it_is_served(issuer: RunningIssuer, tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_text("an older one")
    assert exported(issuer).out.encode() == served(issuer, "/.well-known/jwks.json")
    done = exported(issuer, f"--output {file}")
    assert (done.code, done.out, done.err) == (0, "", f"Wrote {file}.\n")
    assert file.read_bytes() == served(issuer, "/.well-known/jwks.json")
    assert (file.stat().st_mode & 0o777, [*tmp_path.iterdir()]) == (0o644, [file])


def test_a_verifier_without_network_verifies_with_what_was_exported(issuer: RunningIssuer) -> None:
    with issuer.http("") as http:
        credential = httpx.BasicAuth(*issuer.admin_key.split(":"))
        form = {"grant_type": "client_credentials"}
        token = http.post("/v1/token", data=form, auth=credential).raise_for_status().json()["access_token"]
    trust = Trust.from_documents(
        issuer=issuer.url, jwks=exported(issuer).out.encode(), status_lists=[served(issuer, "/status/1")]
    )
    assert Verifier(issuer.url, "urn:hourmark:services", trust=trust).verify(token).subject == "user:admin"


def test_pem_is_what_other_tools_read(issuer: RunningIssuer, tmp_path: Path) -> None:
    text = exported(issuer, "--format pem").out
    jwks = json.loads(served(issuer, "/.well-known/jwks.json"))["keys"]
    parts = [f"# kid={part}" for part in text.split("# kid=")[1:]]
    assert len(parts) == len(jwks) > 0
    for part, jwk in zip(parts, jwks, strict=True):
        comment, _, pem = part.partition("\n")
        assert comment == f"# kid={jwk['kid']} alg=ES256"
        der = load_pem_public_key(pem.encode()).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        key = PublicKey.from_jwk(jwk).key
        assert der == key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        file = tmp_path / "public.pem"
        file.write_text(part)  # with its comment, which openssl passes over
        shown = subprocess.run(
            ["openssl", "pkey", "-pubin", "-in", file, "-outform", "DER"], capture_output=True, check=True
        )
        assert shown.stdout == der


def test_nothing_private_is_exported(issuer: RunningIssuer) -> None:
    for options in ("", "--format pem"):
        text = exported(issuer, options).out
        assert "PRIVATE" not in text
        assert '"d"' not in text


def test_a_place_where_nothing_can_be_written(made: Path, tmp_path: Path) -> None:
    file = tmp_path / "none" / "jwks.json"
    assert_refused(hourmarkd(f"keys export --output {file}", made), 1, f"{file}: No such file or directory")
