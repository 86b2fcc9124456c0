"""The rules that keep the console safe, held by a real browser: cookies, policy, forms, proofs, secrets."""

from __future__ import annotations

import time

import httpx
import pytest
from playwright.sync_api import Browser, Page, Response, Route, expect
from playwright.sync_api import Error as PlaywrightError

from issuer.browser import BROWSER_COOKIE, SESSION_COOKIE
from tests.browser.conftest import NewPage
from tests.browser.furniture import furniture
from tests.browser.stage import Stage
from tests.browser.test_people import set_up
from tests.browser.token_scenes import token_shown
from tests.browsers import signed_in
from tests.issuer.http.world import World, made

ELSEWHERE = "http://127.0.0.1:9/evil"
"""A page of somebody else: nothing answers there, so the tests do."""


@pytest.fixture
def stage(world: World, page: Page) -> Stage:
    return Stage(world, page)


@pytest.fixture
def elsewhere(stage: Stage) -> Page:
    """The same browser at a page of somebody else."""

    def answer(route: Route) -> None:
        route.fulfill(body="<!doctype html><title>elsewhere</title>", content_type="text/html")

    stage.page.route(f"{ELSEWHERE}**", answer)
    return stage.page


def posted(page: Page, action: str, **fields: str) -> Response:
    """The answer to a form that the page at hand makes and sends."""
    send = """([action, fields]) => {
      const form = Object.assign(document.createElement("form"), { action, method: "post" });
      for (const [name, value] of Object.entries(fields))
        form.append(Object.assign(document.createElement("input"), { name, value }));
      document.body.append(form);
      form.submit();
    }"""
    with page.expect_navigation() as navigated:
        page.evaluate(send, [action, fields])
    answer = navigated.value
    assert answer is not None
    return answer


def csrf(page: Page) -> str:
    return str(page.locator("[name=csrf]").first.input_value())


def test_a_form_from_elsewhere_changes_nothing_though_it_knows_the_token(
    stage: Stage, elsewhere: Page
) -> None:
    """By the origin that browsers send; the cookies would stay away too (SameSite)."""
    stage.come_in()
    stage.open("/session")
    stolen = csrf(stage.page)
    elsewhere.goto(ELSEWHERE)
    answer = posted(elsewhere, f"{stage.world.url}/session/sign-out-everywhere", csrf=stolen)
    assert (answer.status, "elsewhere" in answer.text()) == (403, True)
    stage.open("/session")
    expect(stage.page.get_by_role("heading", name="My session")).to_be_visible()


def test_a_form_of_ours_needs_the_token_of_its_session(stage: Stage, new_page: NewPage) -> None:
    stage.come_in()
    stage.open("/session")
    other = Stage(stage.world, new_page())
    other.come_in()
    other.open("/session")
    for token in (csrf(other.page), ""):
        assert posted(stage.page, "/session/sign-out-everywhere", csrf=token).status == 403
        stage.open("/session")
    assert posted(stage.page, "/session/sign-out-everywhere", csrf=csrf(stage.page)).status == 200
    expect(stage.page).to_have_title("Sign in · Hourmark")


def test_no_script_runs_but_our_own(stage: Stage, browser: Browser) -> None:
    """Whatever a page would be made to hold."""
    context = browser.new_context(base_url=stage.world.url)
    try:
        page = context.new_page()
        stopped: list[str] = []
        page.on("console", lambda message: stopped.append(message.text))
        Stage(stage.world, page).open("/login")
        page.evaluate(
            """() => {
              const script = document.createElement("script");
              script.textContent = "window.ran = 'inline'";
              document.head.append(script);
              document.body.insertAdjacentHTML("beforeend", "<img src=x onerror=\\"window.ran = 'event'\\">");
              const far = document.createElement("script");
              far.src = "https://evil.example/x.js";
              document.head.append(far);
              const frame = document.createElement("iframe");
              frame.src = "https://evil.example/";
              document.body.append(frame);
            }"""
        )
        page.wait_for_function("document.querySelector('iframe') !== null")
        assert page.evaluate("window.ran ?? null") is None
        said = " ".join(stopped)
        for directive in ("script-src", "default-src"):
            assert directive in said, said
    finally:
        context.close()


def test_no_page_of_ours_stands_in_a_frame(stage: Stage, browser: Browser) -> None:
    """Not even in one of the same origin, where nothing else would keep it out."""
    context = browser.new_context()
    try:
        page, frame = context.new_page(), '<!doctype html><iframe src="/login"></iframe>'
        page.route("**/framing", lambda route: route.fulfill(body=frame, content_type="text/html"))
        page.goto(f"{stage.world.url}/framing")
        (framed,) = page.main_frame.child_frames
        assert framed.url.startswith("chrome-error:")
        expect(framed.get_by_role("heading", name="Sign in")).to_have_count(0)
    finally:
        context.close()


def test_cookies_are_for_this_host_alone_and_no_script_sees_them(stage: Stage) -> None:
    set_up(stage.page, stage.invite())
    kept = {cookie["name"]: cookie for cookie in stage.page.context.cookies(stage.world.url)}
    assert {BROWSER_COOKIE, SESSION_COOKIE} <= set(kept)
    for name in (BROWSER_COOKIE, SESSION_COOKIE):
        assert name.startswith("__Host-")
        ours = kept[name]
        assert (ours["httpOnly"], ours["secure"], ours["sameSite"], ours["path"]) == (True, True, "Lax", "/")
        assert ours["domain"] == "localhost", "no dot: for no host below"
    assert stage.page.evaluate("document.cookie") == ""


def test_another_hosts_name_opens_nothing(world: World) -> None:
    """A name that leads here, of somebody else (DNS rebinding): browsers would send it as Host."""
    answer = httpx.get(f"{world.url}/login", headers={"Host": "evil.example"})
    assert answer.status_code == 421


def test_a_key_is_made_after_a_fresh_proof_alone(stage: Stage) -> None:
    """Who sits down in front of a page that was open for long is asked who they are."""
    there = furniture(stage.world)
    with signed_in(stage.world.issuer, there.admin, at=int(time.time()) - 3600) as long_ago:
        cookie = long_ago.cookies[SESSION_COOKIE]
    where = stage.world.url.replace("http:", "https:")
    stage.page.context.add_cookies([{"name": SESSION_COOKIE, "value": cookie, "url": where, "secure": True}])
    for path in ("/tokens/new", f"/roles/{there.role}/keys/new", "/new-app"):
        stage.open(path)
        expect(stage.page).to_have_title("Confirm that it is you · Hourmark")
    stage.open(f"/tokens/{there.token}")
    stage.press("Renew")
    expect(stage.page).to_have_title("Confirm that it is you · Hourmark")
    stage.open("/session")
    stage.press("Get a token")
    expect(stage.page).to_have_title("Confirm that it is you · Hourmark")


def test_a_secret_is_in_one_answer_and_nowhere_again(stage: Stage) -> None:
    answers: list[Response] = []
    stage.page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - playwright marks it
    token_shown(stage)
    shown = stage.page
    secret = shown.get_by_label("API token").input_value()
    (answer,) = (each for each in answers if each.request.method == "POST")
    assert (answer.headers["cache-control"], secret in answer.url) == ("no-store", False)
    shown.get_by_role("link", name="I have copied it").click()
    expect(shown.get_by_text("cannot be shown again")).to_be_visible()
    assert secret.partition(":")[2] not in shown.content()
    with pytest.raises(PlaywrightError, match="ERR_CACHE_MISS"):
        shown.go_back()


def test_a_copy_button_says_what_it_copies_and_that_it_did(stage: Stage) -> None:
    stage.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    token_shown(stage)
    secret = stage.page.get_by_label("API token").input_value()
    stage.press("Copy the API token")
    expect(stage.page.get_by_role("status").filter(has_text="Copied the API token")).to_be_visible()
    assert stage.page.evaluate("navigator.clipboard.readText()") == secret
    with stage.page.expect_download() as download:
        stage.press("Download as .env")
    assert download.value.suggested_filename == "hourmark.env"
    assert f"HOURMARK_TOKEN={secret}\n" in download.value.path().read_text()


def test_what_is_somebody_elses_is_not_there(stage: Stage) -> None:
    there = furniture(stage.world)
    stage.come_in()
    for path in (
        f"/tokens/{there.token}",
        f"/roles/{there.role}",
        f"/jobs/{there.job}",
        f"/apps/{there.app}",
    ):
        stage.open(path)
        expect(stage.page.get_by_role("heading", name="Nothing is here")).to_be_visible()


def test_a_user_is_told_which_permission_is_missing(stage: Stage) -> None:
    role = stage.world.role()
    stage.come_in(f"role:get@{role}", f"role-key:list@{role}")
    made(stage.world.admin.post(f"/v1/roles/{role}/keys", json={"name": "watched"}))
    stage.open(f"/roles/{role}")
    expect(stage.page.get_by_role("link", name="watched")).to_be_visible()
    expect(stage.page.get_by_role("button", name="Add policy")).to_have_count(0)
    stage.open(f"/roles/{role}/keys/new")
    stage.fill(name="mine")
    stage.press("Make role key")
    expect(stage.page.get_by_role("alert")).to_contain_text(f"role-key:create@{role}")
