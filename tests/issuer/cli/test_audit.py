"""`hourmarkd audit verify`."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.issuer.cli.command import assert_refused, hourmarkd


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "hourmark.db")) as database, database:
        database.execute(statement)


def test_the_audit_chain_is_checked(tmp_path: Path) -> None:
    assert hourmarkd("init --admin admin", tmp_path).code == 0
    whole = hourmarkd("audit verify", tmp_path)
    assert (whole.code, whole.out, whole.err) == (0, "", "The audit chain holds.\n")
    change(tmp_path, "UPDATE audit SET actor = 'nobody' WHERE number = 2")
    assert_refused(hourmarkd("audit verify", tmp_path), 1, "broken at row 2")


def test_as_json_with_the_head_that_shows_later_whether_rows_were_cut_off(tmp_path: Path) -> None:
    assert hourmarkd("init --admin admin", tmp_path).code == 0
    whole = hourmarkd("audit verify -o json", tmp_path)
    found = json.loads(whole.out)
    assert (whole.code, whole.err, found["holds"], found["first_broken"]) == (0, "", True, None)
    change(tmp_path, f"DELETE FROM audit WHERE number = {found['rows']}")  # noqa: S608 - no input
    shorter = json.loads(hourmarkd("audit verify -o json", tmp_path).out)
    assert (shorter["holds"], shorter["rows"]) == (True, found["rows"] - 1)
    assert shorter["head_hash"] != found["head_hash"]
    change(tmp_path, "UPDATE audit SET actor = 'nobody' WHERE number = 2")
    broken = hourmarkd("audit verify -o json", tmp_path)
    assert (broken.code, "broken at row 2" in broken.err) == (1, True)
    assert json.loads(broken.out) == shorter | {"holds": False, "first_broken": 2}
