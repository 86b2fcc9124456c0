"""The pages for everybody: by eye and ear, in light and dark, on small screens, without mouse or scripts."""

from __future__ import annotations

import re
from functools import cache

import pytest
from playwright.sync_api import Page, expect

from tests import clients
from tests.browser.conftest import AXE
from tests.browser.furniture import enter
from tests.browser.scenes import SCENES
from tests.browser.stage import Stage
from tests.browser.test_people import PASSWORD
from tests.issuer.http.world import World, made

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (768, 320)
RULES_OF_SMALL_SCREENS = ["color-contrast", "target-size", "scrollable-region-focusable"]
MOST_BYTES = 100_000
"""Of a page with all that comes with it."""
_VIOLATIONS = """
async rules => (await axe.run({ runOnly: rules, resultTypes: ["violations"] })).violations.flatMap(
  found => found.nodes.map(node => `${found.id}: ${node.html}: ${node.failureSummary}`))
"""
_SCRIPTS = "[...document.scripts].map(({ src }) => src.match(/(\\w+)[^/]*$/)[1])"
_BYTES = """
() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .reduce((sum, entry) => sum + entry.encodedBodySize, 0)
"""
_SHIFTS = """
() => new Promise(done => {
  const shifts = [];
  const observer = new PerformanceObserver(
    list => shifts.push(...list.getEntries().map(entry => [entry.value, ...entry.sources.map(
      ({ node, previousRect, currentRect }) =>
        [node?.outerHTML ?? node?.textContent, previousRect, currentRect])])));
  observer.observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => setTimeout(() => done(shifts), 0));
})
"""
# What the keyboard should reach within an element, in its order. When a key goes down, it is written down
# what has the focus then: with everything settled, and without being asked.
_REACHABLE = """
within => {
  const may = "a[href], button, summary, select, textarea, input:not([type=hidden]), [tabindex='0']";
  const reachable = [...document.querySelector(within).querySelectorAll(may)].filter(
    element => element.checkVisibility({ visibilityProperty: true }) && !element.disabled);
  window.reached = [];
  document.addEventListener("keydown", () => {
    const element = document.activeElement, style = getComputedStyle(element);
    const { top, bottom } = element.getBoundingClientRect();
    const isSeen = bottom > 0 && top < innerHeight, number = reachable.indexOf(element);
    window.reached.push([number, style.outlineStyle, style.outlineWidth, isSeen, element.outerHTML]);
  }, true);
  document.querySelector(`${within} .skip, main${within}`).focus();
  return [reachable.length, reachable.filter(element => element.type === "date").length];
}
"""
_PARTS_OF_A_DATE = 4
LOW = 110
"""Pixels: two lines."""
_TAB = {"type": "rawKeyDown", "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
_HAS_FOCUS = "elements => elements.includes(document.activeElement)"
WITHOUT_SCRIPTS = (
    *("sign_in", "sign_in_wrong", "set_up", "account_full", "enter", "token_new_broad"),
    *("token_shown", "session_token", "app_secret", "user_invited"),
)
"""Pages that show something else where scripts are: all others have none (below)."""


@cache
def axe() -> str:
    return AXE.read_text()


@pytest.mark.parametrize("scene", SCENES)
def test_nothing_stands_in_anybodys_way(world: World, same_page: Page, scene: str) -> None:
    """One page, looked at from all sides: a scene costs more than every look at it."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: npm ci --prefix tests/journeys/node")
    page = same_page
    page.set_viewport_size({"width": 1280, "height": 800})
    SCENES[scene](Stage(world, page))
    assert page.evaluate(_SHIFTS) == []
    assert page.evaluate(_BYTES) < MOST_BYTES
    assert set(page.evaluate(_SCRIPTS)) <= {"copy", "passkey", "reach"}
    # The way to the rooms is the same in all of them (below).
    follow_the_keyboard(page, "#main" if page.locator(".rooms").count() else "body")
    bring_axe(page)
    assert page.evaluate(_VIOLATIONS, RULES) == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == width
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(_VIOLATIONS, RULES_OF_SMALL_SCREENS) == [], "in the dark, on a small screen"


def bring_axe(page: Page) -> None:
    """Past the policy of the page, which would let no script of a page bring it."""
    page.context.new_cdp_session(page).send("Runtime.evaluate", {"expression": axe()})


def follow_the_keyboard(page: Page, within: str) -> None:
    """It reaches everything in its order, and shows where it is. within: `body`, or `#main`."""
    reachable, dates = page.evaluate(_REACHABLE, within)
    keys = page.context.new_cdp_session(page)
    first = 1 if within == "#main" else 0  # in front of the first stands what begins it
    for _ in range(first + reachable + dates * (_PARTS_OF_A_DATE - 1)):
        keys.send("Input.dispatchKeyEvent", _TAB)
    reached, steps = 0, 0
    for number, style, width, is_seen, element in page.evaluate("window.reached")[first:]:
        if number == reached - 1 and steps < _PARTS_OF_A_DATE:
            steps += 1  # within a field that has more than one place to be in
        else:
            assert (number, style, width, is_seen) == (reached, "solid", "3px", True), element
            reached, steps = reached + 1, 0
    assert reached == reachable
    # Behind the last comes the first again: the way to skip, which lies above others while it has the focus.
    page.evaluate("document.activeElement.blur()")


@pytest.mark.parametrize("width", [1280, 320])
def test_the_rooms_are_reached_from_the_top_of_each(world: World, same_page: Page, width: int) -> None:
    """On a small screen, from a menu that the keyboard opens; it needs no scripts."""
    page, stage = same_page, Stage(world, same_page)
    page.set_viewport_size({"width": width, "height": 800})
    enter(stage, "/hygiene?finding=broad")
    door = page.get_by_role("link", name="Signing keys")
    if width < 768:
        assert page.locator(".top").evaluate("top => top.offsetHeight") < LOW
        expect(door).to_be_hidden()
        page.get_by_text("Menu").focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.documentElement.scrollWidth") == width
    expect(door).to_be_visible()
    follow_the_keyboard(page, "body")
    bring_axe(page)
    assert page.evaluate(_VIOLATIONS, RULES) == []
    door.click()
    expect(page.get_by_role("heading", name="Signing keys", level=1)).to_be_visible()
    expect(page.locator(".rooms [aria-current=page]")).to_have_text("Signing keys")


@pytest.mark.parametrize("scene", WITHOUT_SCRIPTS)
def test_pages_do_without_scripts(world: World, same_page_without_scripts: Page, scene: str) -> None:
    page = same_page_without_scripts
    SCENES[scene](Stage(world, page))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("form:not([data-passkey]) button, main a.button").first).to_be_visible()
    expect(page.locator("[data-passkey], [data-copy]").filter(visible=True)).to_have_count(0)


@pytest.mark.parametrize(
    ("scene", "described", "kept"),
    [
        ("sign_in_wrong", "Password", ("User name", "ada")),
        ("set_up_wrong", "New password", None),
        ("password_wrong", "New password", None),
        ("device_wrong", "Code", ("Code", "BCDF-GHJK")),
        ("enter_wrong", "Log in with token", None),
        ("sign_in_passkey_wrong", None, None),
        ("passkey_wrong", None, ("Name", "The blue key")),
    ],
)
def test_what_is_wrong_is_announced_and_what_was_typed_is_kept(
    world: World, same_page: Page, scene: str, described: str | None, kept: tuple[str, str] | None
) -> None:
    page = same_page
    SCENES[scene](Stage(world, page))
    expect(page).to_have_title(re.compile("Error: "))
    alert = page.get_by_role("alert").filter(visible=True)
    expect(alert).to_have_count(1)
    if described is not None:
        field = page.get_by_label(described)
        expect(field).to_be_focused()
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(re.compile(re.escape(alert.inner_text())))
    if kept is not None:
        expect(page.get_by_label(kept[0])).to_have_value(kept[1])
    for password in page.locator("[type=password]").all():
        expect(password).to_have_value("")


def test_with_the_keyboard_alone_from_the_link_to_the_sign_out(world: World, page: Page) -> None:
    def press(name: str) -> None:
        wanted = page.get_by_role("button", name=name, exact=True).or_(page.get_by_role("link", name=name))
        expect(wanted.first).to_be_visible()
        while not wanted.evaluate_all(_HAS_FOCUS):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")

    stage = Stage(world, page)
    stage.open(stage.invite())
    role = {"role": world.role("data:get@*")}
    made(world.admin.post(f"/v1/users/{stage.user}/roles", json=role))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="How you sign in")).to_be_visible()
    page.route(f"{clients.CALLBACK}**", lambda route: route.fulfill(body="here is the app"))
    stage.open(stage.app().target())
    press("Allow")
    expect(page.get_by_text("here is the app")).to_be_visible()
    stage.open("/device")
    page.keyboard.type(stage.device())
    page.keyboard.press("Enter")
    press("Deny")
    expect(page.get_by_role("heading", name="Denied")).to_be_visible()
    press("To your account")
    press("Change")
    expect(page.get_by_label("New password")).to_be_focused()
    page.keyboard.type(f"{PASSWORD} staple")
    page.keyboard.press("Tab")
    page.keyboard.type(f"{PASSWORD} staple")
    press("Set password")
    press("Sign out")
    expect(page.get_by_role("heading", name="Sign out?")).to_be_visible()
    press("Sign out")
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
