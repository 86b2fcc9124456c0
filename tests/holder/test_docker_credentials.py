"""Docker's credential helper: what it answers, and what it changes in docker's settings."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path

import pytest

from holder.cli import credential_docker
from holder.credential_helpers.docker import NOT_FOUND, SCOPE
from holder.profile import Profile
from tests.clients import claims
from tests.holder.conftest import Hourmark
from tests.holder.issuer_double import IssuerDouble
from tests.running_issuer import BIN, clean_environment

REGISTRY = "registry.example:5000"
INSTALL = ("credential", "docker", "install")


@pytest.fixture
def config(home: Path) -> Path:
    return home / "docker" / "config.json"


@pytest.fixture
def helper(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Helper:
    return Helper(monkeypatch, capsys)


class Helper:
    """`docker-credential-hourmark`, as docker calls it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    err = ""
    """What the last one said to people."""

    def __call__(self, *arguments: str, stdin: str = "") -> tuple[int, str]:
        """Exit code and stdout, which docker reads."""
        self._monkeypatch.setattr("sys.argv", ["docker-credential-hourmark", *arguments])
        self._monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            credential_docker.main()
        out, self.err = self._capsys.readouterr()
        return int(ended.value.code or 0), out


@pytest.mark.parametrize("text", [REGISTRY, f"http://{REGISTRY}", f"https://{REGISTRY}/", f" {REGISTRY} "])
def test_a_registry_is_installed_under_its_bare_address(hourmark: Hourmark, config: Path, text: str) -> None:
    done = hourmark(*INSTALL, text)
    assert (done.code, json.loads(config.read_text())) == (0, {"credHelpers": {REGISTRY: "hourmark"}})
    assert config.stat().st_mode & 0o777 == 0o600


def test_everything_else_stays_as_it_is(hourmark: Hourmark, config: Path) -> None:
    before = {
        "auths": {"other.example": {"auth": "x"}, REGISTRY: {"auth": "y"}},
        "credsStore": "desktop",
        "psFormat": "ünicode {{.ID}}",
        "credHelpers": {"a.example": "gcloud"},
        "plugins": {"x": {"n": 12345678901234567890}},
    }
    config.parent.mkdir()
    elsewhere = config.parent / "elsewhere.json"
    elsewhere.write_text(json.dumps(before))
    elsewhere.chmod(0o640)
    config.symlink_to(elsewhere)
    done = hourmark(*INSTALL, REGISTRY)
    helpers = {"a.example": "gcloud", REGISTRY: "hourmark"}
    assert json.loads(config.read_text()) == before | {"credHelpers": helpers}
    assert (config.is_symlink(), elsewhere.stat().st_mode & 0o777) == (True, 0o640)
    assert f"docker logout {REGISTRY} removes it" in done.err
    text = config.read_text()
    assert hourmark(*INSTALL, REGISTRY).code == 0
    assert config.read_text() == text
    assert [each.name for each in config.parent.iterdir() if each.name.startswith(".")] == []


def test_another_helper_is_replaced_and_named(hourmark: Hourmark, config: Path) -> None:
    config.parent.mkdir()
    config.write_text(json.dumps({"credHelpers": {REGISTRY: "gcloud"}}))
    assert "docker-credential-gcloud" in hourmark(*INSTALL, REGISTRY).err


@pytest.mark.parametrize(
    "text", ["", "registry.example/samples", "a b", "ftp://a", "user@a", "a:port", "a:123456"]
)
def test_what_is_no_registry(hourmark: Hourmark, config: Path, text: str) -> None:
    assert hourmark(*INSTALL, text).code == 2
    assert not config.exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"credHelpers": []}', "\ufeff{}", "{} {}"])
def test_settings_that_are_not_dockers_stay_as_they_are(hourmark: Hourmark, config: Path, text: str) -> None:
    config.parent.mkdir()
    config.write_text(text)
    done = hourmark(*INSTALL, REGISTRY, "-o", "json")
    assert (done.code, done.error["code"]) == (1, "docker_config_unreadable")
    assert config.read_text() == text


def test_docker_gets_a_token_that_is_narrow(
    hourmark: Hourmark, helper: Helper, issuer: IssuerDouble, config: Path
) -> None:
    Profile("default", issuer.url, issuer.add_key().reveal(), "role:org.account.admin").save()
    hourmark(*INSTALL, REGISTRY)
    code, out = helper("get", stdin=f"{REGISTRY}\n")
    answer = json.loads(out)
    assert (code, answer["ServerURL"], answer["Username"]) == (0, REGISTRY, "console")
    asked = claims(answer["Secret"])
    assert asked["aud"] == issuer.url
    assert set(asked["scope"].split()) == set(SCOPE.split())
    assert "hmk_" not in config.read_text() + out


def test_a_token_that_is_the_credential_is_given_as_it_is(
    hourmark: Hourmark, helper: Helper, issuer: IssuerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    hourmark(*INSTALL, REGISTRY)
    token = issuer.mint("org.account.token", "data:get@a", audience="urn:hourmark:services")
    monkeypatch.setenv("HOURMARK_TOKEN", token)
    assert json.loads(helper("get", stdin=REGISTRY)[1])["Secret"] == token


@pytest.mark.parametrize("registry", ["other.example", "", "registry.example", f"{REGISTRY}/samples"])
def test_no_other_registry_gets_one(
    hourmark: Hourmark, helper: Helper, issuer: IssuerDouble, registry: str
) -> None:
    Profile("default", issuer.url, issuer.add_key().reveal(), "role:org.account.admin").save()
    hourmark(*INSTALL, REGISTRY)
    assert helper("get", stdin=registry) == (1, f"{NOT_FOUND}\n")


def test_who_is_not_signed_in_is_told_so_and_docker_goes_on(hourmark: Hourmark, helper: Helper) -> None:
    hourmark(*INSTALL, REGISTRY)
    assert helper("get", stdin=REGISTRY) == (1, f"{NOT_FOUND}\n")
    assert "You are not signed in" in helper.err
    assert "hourmark login" in helper.err


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (401, "invalid_client", "The issuer refused the credential"),
        (400, "invalid_scope", "role:org.account.admin holds no permission on repositories"),
    ],
)
def test_whoever_gets_no_token_goes_on_without_one_and_is_told_why(
    hourmark: Hourmark, helper: Helper, issuer: IssuerDouble, *, status: int, error: str, said: str
) -> None:
    Profile("default", issuer.url, issuer.add_key().reveal(), "role:org.account.admin").save()
    hourmark(*INSTALL, REGISTRY)
    refuse(issuer, status, error)
    assert helper("get", stdin=REGISTRY) == (1, f"{NOT_FOUND}\n")
    assert said in helper.err


def test_an_issuer_that_does_not_work_is_no_lack_of_a_credential(
    hourmark: Hourmark, helper: Helper, issuer: IssuerDouble
) -> None:
    """Docker would pull as nobody, and say that the image is not there."""
    Profile("default", issuer.url, issuer.add_key().reveal(), "role:org.account.admin").save()
    hourmark(*INSTALL, REGISTRY)
    refuse(issuer, 503, "temporarily_unavailable")
    code, out = helper("get", stdin=REGISTRY)
    assert (code, "cannot serve at the moment" in out, helper.err) == (1, True, out)


def test_a_key_that_is_for_registries_alone_is_given_itself(
    hourmark: Hourmark, helper: Helper, issuer: IssuerDouble, config: Path
) -> None:
    """There is no token for the issuer to get for it."""
    key = issuer.add_key().reveal()
    Profile("default", issuer.url, key, "role:org.account.admin").save()
    hourmark(*INSTALL, REGISTRY)
    refuse(issuer, 400, "invalid_target")
    code, out = helper("get", stdin=REGISTRY)
    assert (code, json.loads(out)["Secret"]) == (0, key)
    assert "hmk_" not in config.read_text() + helper.err


def refuse(issuer: IssuerDouble, status: int, error: str) -> None:
    """Whoever asks for a token."""
    body = json.dumps({"error": error, "error_description": "it is so"}).encode()
    issuer.instead["POST /v1/token"] = status, {"Content-Type": "application/json"}, body


def test_nothing_is_kept(hourmark: Hourmark, helper: Helper, config: Path) -> None:
    hourmark(*INSTALL, REGISTRY)
    before = config.read_text()
    given = {"ServerURL": REGISTRY, "Username": "console"}
    assert helper("store", stdin=json.dumps(given | {"Secret": "a.b.c"})) == (0, "")
    for wrong in (json.dumps(given | {"Secret": "hmk_a:b"}), "{", "[]", ""):
        code, out = helper("store", stdin=wrong)
        assert (code, "Nothing is kept for docker" in out, "hmk_" in out) == (1, True, False)
    assert helper("erase", stdin=REGISTRY) == (0, "")
    assert config.read_text() == before


def test_registries_that_are_installed_at_once_are_all_there(config: Path, tmp_path: Path) -> None:
    environment = clean_environment(DOCKER_CONFIG=str(config.parent), HOME=str(tmp_path))
    names = {f"registry-{number}.example" for number in range(6)}
    processes = [
        subprocess.Popen([BIN / "hourmark", *INSTALL, name], env=environment, stdout=subprocess.DEVNULL)
        for name in sorted(names)
    ]
    assert [process.wait(30) for process in processes] == [0] * 6
    assert set(json.loads(config.read_text())["credHelpers"]) == names


def test_what_is_installed_is_listed(hourmark: Hourmark, helper: Helper, config: Path) -> None:
    assert helper("list") == (0, "{}\n")
    hourmark(*INSTALL, REGISTRY)
    assert json.loads(helper("list")[1]) == {REGISTRY: "console"}
    assert [helper(*wrong)[0] for wrong in ((), ("wrong",), ("get", "more"))] == [2, 2, 2]
    del config
