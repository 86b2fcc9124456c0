"""Looking after it: hygiene, the audit log, signing keys."""

from __future__ import annotations

from tests.browser.furniture import enter
from tests.browser.stage import Stage


def hygiene(stage: Stage) -> None:
    enter(stage, "/hygiene?finding=broad")


def audit(stage: Stage) -> None:
    enter(stage, "/audit?target=role:{role}")


def audit_chain(stage: Stage) -> None:
    enter(stage, "/audit?action=user:create&check=chain")


def audit_wrong(stage: Stage) -> None:
    enter(stage, "/audit?since=yesterday")


def signing_keys(stage: Stage) -> None:
    enter(stage, "/signing-keys")


SCENES = (
    hygiene,
    audit,
    audit_chain,
    audit_wrong,
    signing_keys,
)
