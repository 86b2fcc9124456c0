"""What a platform is made of: jobs, apps, users."""

from __future__ import annotations

from tests.browser.furniture import enter, furniture
from tests.browser.stage import Stage


def jobs(stage: Stage) -> None:
    enter(stage, "/jobs")


def job(stage: Stage) -> None:
    enter(stage, "/jobs/{job}")


def job_wrong(stage: Stage) -> None:
    job(stage)
    stage.fill(labels="stage")
    stage.press("Change the labels")


def apps(stage: Stage) -> None:
    enter(stage, "/apps")


def app_new(stage: Stage) -> None:
    enter(stage, "/new-app")


def app(stage: Stage) -> None:
    enter(stage, "/apps/{app}")


def app_stale(stage: Stage) -> None:
    """Somebody else wrote another description meanwhile."""
    name = stage.app(description="Notes", labels={"team": "nlp"}).name
    stage.look_in_as(furniture(stage.world).admin)
    stage.open(f"/apps/{name}")
    changed = {"description": "Notes of what was seen, and where", "labels": {"team": "vision"}}
    stage.world.admin.patch(f"/v1/apps/{name}", json=changed).raise_for_status()
    stage.fill(labels="team=nlp\nstage=test")
    stage.press("Save")


def app_secret(stage: Stage) -> None:
    app(stage)
    stage.press("Make a new secret")


def people(stage: Stage) -> None:
    enter(stage, "/users?prefix=ada-")


def user_new(stage: Stage) -> None:
    enter(stage, "/new-user")


def user(stage: Stage) -> None:
    enter(stage, "/users/{member}")


def user_invited(stage: Stage) -> None:
    user(stage)
    stage.press("Invite")


SCENES = (
    jobs,
    job,
    job_wrong,
    apps,
    app_new,
    app,
    app_stale,
    app_secret,
    people,
    user_new,
    user,
    user_invited,
)
