"""The forms of data."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from holder.cli.output import Format, View
from holder.errors import UsageError
from tests.holder.conftest import Hourmark

FIELDS = ["access", "expires_at", "roles"]
ITEM: dict[str, Any] = {"access": "hmk_1", "expires_at": None, "roles": ["a", "b"]}
OTHER: dict[str, Any] = {"access": "hmk_22", "expires_at": "2027-01-01T00:00:00Z", "roles": []}


def view(output: str | None = None, template: str | None = None, field: str | None = None) -> View:
    return View(FIELDS, Format(output) if output else None, template, field)


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (view(), "access: hmk_1\nroles:  a, b\n"),
        (view("table"), "access: hmk_1\nroles:  a, b\n"),
        (view("text"), "hmk_1\t\ta, b\n"),
        (view("text", "{{.Access}}:{{.ExpiresAt}}"), "hmk_1:\n"),
        (view(None, r"{{ .access }}\t{{.expires_at}}\n{{.ROLES}} {x}"), "hmk_1\t\na, b {x}\n"),
        (view(field="Access"), "hmk_1\n"),
        (view(field="expiresat"), "\n"),
    ],
)
def test_one(capsys: pytest.CaptureFixture[str], shown: View, text: str) -> None:
    shown.one(ITEM)
    assert capsys.readouterr() == (text, "")


def test_a_table_of_one_leaves_out_what_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    view().one({"access": "hmk_1", "expires_at": "", "roles": []})
    assert capsys.readouterr().out == "access: hmk_1\n"


@pytest.mark.parametrize("form", ["-o json", "-ojson", "-o=json", "--output=json", "--format json"])
def test_a_form_is_asked_for_as_elsewhere(hourmark: Hourmark, admin: str, form: str) -> None:
    assert admin
    assert hourmark("whoami", *form.split()).json["principal"] == "role:org.account.admin"
    assert hourmark("whoami", "-o", "yaml", *form.split()).json


def test_documents(capsys: pytest.CaptureFixture[str]) -> None:
    view("yaml").one(ITEM)
    assert yaml.safe_load(capsys.readouterr().out) == ITEM
    view("yaml").many([ITEM, OTHER])
    assert yaml.safe_load(capsys.readouterr().out) == [ITEM, OTHER]
    view("json").many([])
    assert capsys.readouterr().out == "[]\n"


def test_many(capsys: pytest.CaptureFixture[str]) -> None:
    view().many([ITEM, OTHER])
    assert capsys.readouterr().out.splitlines() == [
        "ACCESS  EXPIRES AT            ROLES",
        "hmk_1   -                     a, b",
        "hmk_22  2027-01-01T00:00:00Z  -",
    ]
    view(field="access").many([ITEM, OTHER])
    assert capsys.readouterr().out == "hmk_1\nhmk_22\n"
    view("text").many([])
    assert capsys.readouterr() == ("", "")
    view().many([])
    assert capsys.readouterr() == ("", "There is none.\n")


@pytest.mark.parametrize(
    ("output", "template", "field"),
    [
        (None, "{{.Access}}", "access"),
        ("json", "{{.Access}}", None),
        ("yaml", None, "access"),
        (None, "{{.Secret}}", None),
        (None, "{{Access}}", None),
        (None, "{{range .Roles}}{{end}}", None),
        (None, None, "secret"),
        (None, None, "access}}{{.Roles"),
    ],
)
def test_contradictions(output: str | None, template: str | None, field: str | None) -> None:
    with pytest.raises(UsageError):
        view(output, template, field)


def test_the_plain_form_stands_in_for_the_table_alone(capsys: pytest.CaptureFixture[str]) -> None:
    view().one(ITEM, plain="yes")
    view("text").one(ITEM, plain="yes")
    assert capsys.readouterr().out == "yes\nhmk_1\t\ta, b\n"
