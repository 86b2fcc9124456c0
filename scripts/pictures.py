"""Pictures of the pages for the documentation: scenes of the tests, in front of an issuer of their own."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

from tests import doors
from tests.browser.scenes import SCENES
from tests.browser.stage import Stage
from tests.issuer.http.world import World, open_world
from tests.recorded import recorded
from tests.running_issuer import free_port

WIDTH, HEIGHT = 960, 640
SHOWN = (
    *("sign_in", "sign_in_again", "set_up", "sign_out", "signed_out"),
    *("consent", "device", "device_asks", "enter", "enter_consent"),
    *("account_full", "password", "passkey", "session", "session_token", "authorised_apps"),
    *("tokens", "token_new", "token_new_broad", "token_shown", "token"),
    *("roles", "role_new", "role", "role_may", "trust_new", "trust_test", "key_new", "key"),
    *("jobs", "job", "apps", "app_new", "app", "app_secret"),
    *("people", "user_new", "user", "user_invited"),
    *("hygiene", "audit", "audit_chain", "signing_keys"),
)
"""The scenes, each in its picture: every page once, and some as they are when something happened."""
IN_THE_DARK = ("signing_keys",)
ON_A_PHONE = ("tokens",)


# From the top, or where a warning stands; no field has the focus.
_AS_IT_IS_READ = """
() => {
  document.activeElement?.blur();
  const warning = document.querySelector("[role=alert]:not([hidden])");
  if (warning) warning.scrollIntoView({ block: "center" });
  else scrollTo(0, 0);
}
"""


def main(folder: Path) -> None:
    port = str(free_port())
    settings = {"HOURMARKD_PORT": port, "HOURMARKD_ISSUER": f"http://localhost:{port}"} | doors.SETTINGS
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with (
        tempfile.TemporaryDirectory() as scratch,
        tempfile.TemporaryDirectory() as answers,
        recorded(Path(answers)),
        open_world(Path(scratch), **settings) as world,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        for scene in SHOWN:
            _take(world, browser, folder / f"{scene}.png", scene)
        for scene in IN_THE_DARK:
            _take(world, browser, folder / f"{scene}_dark.png", scene, scheme="dark")
        for scene in ON_A_PHONE:
            _take(world, browser, folder / f"{scene}_phone.png", scene, width=360)
        browser.close()


def _take(
    world: World,
    browser: Browser,
    path: Path,
    scene: str,
    *,
    scheme: Literal["light", "dark"] = "light",
    width: int = WIDTH,
) -> None:
    viewport = {"width": width, "height": HEIGHT}
    context = browser.new_context(base_url=world.url, color_scheme=scheme, viewport=viewport)  # type: ignore[arg-type] # the same shape
    page = context.new_page()
    SCENES[scene](Stage(world, page))
    page.evaluate(_AS_IT_IS_READ)
    page.screenshot(path=path, animations="disabled")
    context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
