"""The issuer's entrance in front of an app."""

from __future__ import annotations

from uuid import uuid4

from tests.browser.stage import SCOPE, Stage
from tests.doors import SECRET
from tests.issuer.http.world import made


def enter(stage: Stage) -> None:
    app = f"field-notes-{uuid4().hex[:4]}"
    host = f"{app}.apps.example"
    made(stage.world.admin.post("/v1/apps", json={"name": app, "host": host, "scope": SCOPE}))
    asked = {"X-Original-URL": f"https://{host}/today", "X-Original-Method": "GET", "Accept": "text/html"}
    said = {"Hourmark-Proxy-Secret": SECRET} | asked
    stage.open(stage.world.nobody.get("/v1/forward-auth", headers=said).headers["location"])


def enter_wrong(stage: Stage) -> None:
    enter(stage)
    stage.fill(token="hmk_of-nobody")
    stage.press("Connect")


def enter_as_user(stage: Stage) -> None:
    stage.come_in("app:query@*", "data:get@*")
    enter(stage)


def enter_not_permitted(stage: Stage) -> None:
    stage.come_in("data:get@*")
    enter(stage)
    stage.press("Go on as Ada Lovelace")


def enter_consent(stage: Stage) -> None:
    enter_as_user(stage)
    stage.press("Go on as Ada Lovelace")


SCENES = (enter, enter_wrong, enter_as_user, enter_not_permitted, enter_consent)
