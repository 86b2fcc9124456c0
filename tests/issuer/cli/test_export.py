"""`hourmarkd export registry`: the files, and what stands in their way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from tests.issuer.cli.command import hourmarkd

SERVICES = {"HOURMARKD_REGISTRY_SERVICES": "one.example two.example"}


def test_a_registry_gets_its_settings_and_what_they_name(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "trust"
    done = hourmarkd(f"export registry --service two.example --output {folder}", made, **SERVICES)
    assert (done.code, done.out) == (0, ""), done.err
    assert sorted(path.name for path in folder.iterdir()) == ["bundle.pem", "config.yml", "jwks.json"]
    assert yaml.safe_load((folder / "config.yml").read_text()) == {
        "auth": {
            "token": {
                "realm": "http://127.0.0.1:8700/v1/registry/token",
                "service": "two.example",
                "issuer": "http://127.0.0.1:8700",
                "rootcertbundle": str(folder / "bundle.pem"),
                "jwks": str(folder / "jwks.json"),
                "signingalgorithms": ["ES256"],
            }
        }
    }
    certificates = x509.load_pem_x509_certificates((folder / "bundle.pem").read_bytes())
    constraints = [
        each.extensions.get_extension_for_class(x509.BasicConstraints).value for each in certificates
    ]
    assert [each.ca for each in constraints] == [True, True, False, False], "those that follow are there, too"
    keys = json.loads((folder / "jwks.json").read_text())["keys"]
    assert [len(key["kid"].split(":")) for key in keys] == [12, 12]
    assert not any({"d"} & set(key) for key in keys)
    assert b"PRIVATE" not in (folder / "bundle.pem").read_bytes()


def test_again_it_exports_the_same_keys(made: Path, tmp_path: Path) -> None:
    line = f"export registry --service one.example --output {tmp_path}"
    assert hourmarkd(line, made, **SERVICES).code == 0
    before = (tmp_path / "jwks.json").read_text()
    assert hourmarkd(line, made, **SERVICES).code == 0
    assert (tmp_path / "jwks.json").read_text() == before
    published = json.loads(hourmarkd("keys export", made, **SERVICES).out)["keys"]
    assert not {key["x"] for key in published} & {key["x"] for key in json.loads(before)["keys"]}


def test_the_registry_may_find_them_elsewhere(made: Path, tmp_path: Path) -> None:
    one = {"HOURMARKD_REGISTRY_SERVICES": "one.example"}
    assert hourmarkd(f"export registry --output {tmp_path} --path /trust", made, **one).code == 0
    token = yaml.safe_load((tmp_path / "config.yml").read_text())["auth"]["token"]
    assert (token["service"], token["jwks"]) == ("one.example", "/trust/jwks.json")


@pytest.mark.parametrize(
    ("options", "services", "said"),
    [
        ("", "one.example two.example", "no registry is named: there are one.example, two.example"),
        ("--service three.example", "one.example", "three.example is no registry service"),
        ("--service one.example", "", "HOURMARKD_REGISTRY_SERVICES is empty"),
    ],
)
def test_which_registry_is_not_known(
    made: Path, tmp_path: Path, options: str, services: str, said: str
) -> None:
    settings = {"HOURMARKD_REGISTRY_SERVICES": services}
    done = hourmarkd(f"export registry {options} --output {tmp_path / 'new'}", made, **settings)
    assert (done.code, said in done.err, (tmp_path / "new").exists()) == (2, True, False), done.err
