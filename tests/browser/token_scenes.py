"""API tokens: made, shown once, listed, looked at."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.furniture import enter, furniture
from tests.browser.stage import Stage


def tokens_none(stage: Stage) -> None:
    stage.come_in()
    stage.open("/tokens")


def tokens(stage: Stage) -> None:
    enter(stage, "/tokens?state=active")


def tokens_none_like_that(stage: Stage) -> None:
    enter(stage, "/tokens?text=nothing+is+called+so")


def token(stage: Stage) -> None:
    enter(stage, "/tokens/{token}")


def token_not_deleted(stage: Stage) -> None:
    token(stage)
    stage.page.get_by_text("Delete this API token …").click()
    stage.fill(confirm="another name")
    stage.press("Delete this API token")


_MAY = ("app:*@*", "job:*@*")
_FILLED = "/tokens/new?name=nightly+evaluation&preset-read=on&labels=model=base"


def token_new(stage: Stage) -> None:
    stage.look_in(*_MAY)
    stage.open(_FILLED)


def token_new_wrong(stage: Stage) -> None:
    stage.look_in(*_MAY)
    stage.open("/tokens/new?name=nightly&labels=model&preset-read=on&preset-developer-operations=on")
    stage.press("Make API token")


def token_new_counted(stage: Stage) -> None:
    furniture(stage.world)
    token_new(stage)
    with stage.page.expect_response("**/tokens/new/reach"):
        stage.fill(labels="team=nlp")
    expect(stage.page.get_by_text("Reached now")).to_be_visible()


def token_new_linked(stage: Stage) -> None:
    token_new(stage)
    stage.press("Link to this form")


def token_new_broad(stage: Stage) -> None:
    stage.look_in(*_MAY)
    stage.open("/tokens/new?name=nightly&preset-read=on&preset-operator=on")
    stage.press("Make API token")


def token_new_kept(stage: Stage) -> None:
    """The session ended while the form was open."""
    stage.come_in(*_MAY)
    stage.open(_FILLED)
    stage.world.admin.delete(f"/v1/users/{stage.user}/sign-ins").raise_for_status()
    stage.press("Make API token")


def token_shown(stage: Stage) -> None:
    stage.come_in(*_MAY)
    stage.open(_FILLED)
    stage.press("Make API token")


SCENES = (
    tokens_none,
    tokens,
    tokens_none_like_that,
    token,
    token_not_deleted,
    token_new,
    token_new_wrong,
    token_new_counted,
    token_new_linked,
    token_new_broad,
    token_new_kept,
    token_shown,
)
