"""What proxies are told about requests with a credential, and what they are told about themselves."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from issuer.gateway.forward_auth import HANDED_ON as SAID
from keys import SigningKey, base64url
from tests import doors
from tests.doors import HANDED_ON, IDENTITY, PREVIOUS_SECRET, SECRET, Door, api_token
from tests.issuer.http.world import OTHER, SERVICES, World, bearer, made, until
from verifier.claims import TYP

WHY = ("expired", "revoked", "wrong_audience", "insufficient_scope")


def reason(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.headers["hourmark-refused"]


def test_what_is_said_is_what_these_tests_look_for() -> None:
    assert tuple(name.lower() for name in SAID) == HANDED_ON


@pytest.mark.parametrize("way", ["token", "role key", "basic"])
def test_who_may_query_the_app_passes(door: Door, way: str) -> None:
    key = door.world.holder(f"app:query@{door.app.name}")
    auth = httpx.BasicAuth(key.access, key.secret).auth_flow(httpx.Request("GET", door.world.url))
    shown = {
        "token": f"Bearer {door.world.token(key)}",
        "role key": f"Bearer {key.text}",
        "basic": next(auth).headers["Authorization"],
    }
    answer = door.ask(Authorization=shown[way])
    assert answer.status_code == 200, answer.text
    assert answer.headers["hourmark-subject"] == f"role:{key.role}"
    assert answer.headers["hourmark-client"] == key.access
    assert answer.headers["hourmark-roles"] == key.role
    assert answer.headers["cache-control"] == "no-store"


def test_every_header_is_in_every_answer_that_lets_through(door: Door) -> None:
    key = door.world.holder(f"app:query@{door.app.name}", "data:get@*")
    narrow = door.world.token(key, scope=f"app:query@{door.app.name}")
    answer = door.as_bearer(narrow)
    assert [answer.headers.get(name) for name in HANDED_ON] == [
        f"role:{key.role}",
        key.access,
        "",
        "",
        "",
        "",
    ]


def test_what_the_client_says_of_itself_is_not_handed_on(door: Door) -> None:
    key = door.world.holder(f"app:query@{door.app.name}")
    forged = {name.replace("-", "_"): "user:admin" for name in IDENTITY}
    answer = door.as_bearer(
        key.text, **forged, Cookie="theirs=1; __Host-hourmark-visit=x; hourmark-browser=y"
    )
    assert "user:admin" not in answer.headers.values()
    assert answer.headers["cookie"] == "theirs=1"
    assert answer.headers["authorization"] == ""


@pytest.mark.parametrize(("label", "expected"), [("A", 200), ("B", 403)], ids=["its label", "another label"])
def test_a_token_with_a_label_opens_what_has_it_also_what_comes_later(
    world: World, label: str, expected: int
) -> None:
    group = uuid4().hex[:8]
    token = api_token(world, f"group={group}-A")["token"]
    door = doors.door(world, labels={"group": f"{group}-{label}"})
    answer = door.as_bearer(token)
    assert answer.status_code == expected
    if expected == 403:
        assert reason(answer) == (403, "insufficient_scope")
        needed = f'Bearer error="insufficient_scope", scope="app:query@{door.app.name}"'
        assert answer.headers["www-authenticate"] == needed


def test_an_app_that_gets_the_label_is_opened_and_closed_when_it_loses_it(world: World) -> None:
    group = uuid4().hex[:8]
    token, door = api_token(world, f"group={group}")["token"], doors.door(world)
    path = f"/v1/apps/{door.app.name}"
    assert door.as_bearer(token).status_code == 403
    world.admin.patch(path, json={"labels": {"group": group}}).raise_for_status()
    assert door.as_bearer(token).status_code == 200
    world.admin.patch(path, json={"labels": {}}).raise_for_status()
    assert door.as_bearer(token).status_code == 403


def test_labels_of_the_platform_open_too(door: Door) -> None:
    mine = api_token(door.world, f"hourmark/id={door.app.client_id}")["token"]
    assert door.as_bearer(mine).status_code == 200
    assert door.as_bearer(api_token(door.world, "hourmark/type=job")["token"]).status_code == 403


def test_renewing_and_deleting_end_what_the_token_opens(door: Door) -> None:
    made_token = api_token(door.world)
    path = f"/v1/tokens/{made_token['id']}"
    exchanged = door.world.nobody.post(
        "/v1/token", auth=tuple(made_token["token"].split(":")), data={"grant_type": "client_credentials"}
    ).json()["access_token"]
    assert door.as_bearer(exchanged).status_code == 200
    renewed = door.world.admin.post(f"{path}/renew").json()["token"]
    assert reason(door.as_bearer(exchanged)) == (401, "revoked")
    assert reason(door.as_bearer(made_token["token"])) == (401, "invalid_token")
    assert door.as_bearer(renewed).status_code == 200
    door.world.admin.delete(path).raise_for_status()
    assert reason(door.as_bearer(renewed)) == (401, "invalid_token")


@pytest.mark.parametrize("why", WHY)
def test_why_a_token_is_refused_is_told_of_one_whose_signature_holds(
    world: World, refused_tokens: dict[str, str], why: str
) -> None:
    door, token = doors.door(world), refused_tokens[why]
    told = door.as_bearer(token)
    assert reason(told) == (403 if why == "insufficient_scope" else 401, why)
    expected = "insufficient_scope" if why == "insufficient_scope" else "invalid_token"
    assert f'error="{expected}"' in told.headers["www-authenticate"]
    signed, _, signature = token.rpartition(".")
    elsewhere = SigningKey.generate("ES256").sign(base64url.decode(signed.partition(".")[2].encode()), TYP)
    for forged in (f"{signed}.{signature[::-1]}", f"{signed}.", elsewhere):
        answer = door.as_bearer(forged)
        assert reason(answer) == (401, "invalid_token")
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("credential", ["x", "a.b.c", "hmk_0000000000000000:x", "é", "a" * 9000])
def test_what_is_no_credential_is_refused_without_a_word_more(door: Door, credential: str) -> None:
    sent = {name.encode(): value.encode() for name, value in door.says().items()}
    sent[b"Authorization"] = f"Bearer {credential}".encode()
    answer = door.world.nobody.get("/v1/forward-auth", headers=sent)
    assert reason(answer) == (401, "invalid_token")


HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("is_led", "headers"),
    [
        (True, {"Accept": HTML}),
        (True, {"Accept": "application/xhtml+xml, Text/HTML;q=0.9"}),
        (True, {"Accept": HTML, "Sec-Fetch-Mode": "navigate"}),
        (True, {"Accept": HTML, "Cookie": "session=of-the-app"}),
        (True, {"Accept": HTML, "Cookie": "__Host-hourmark-visit=hmv_nobody"}),
        (True, {"Accept": HTML, "Authorization": ""}),
        (False, {"Accept": "*/*"}),
        (False, {"Accept": "text/*"}),
        (False, {"Accept": ""}),
        (False, {"Accept": "application/json"}),
        (False, {"Accept": "application/json, text/html;q=0"}),
        (False, {"Accept": "text/html; q=0.000, */*"}),
        (False, {"Accept": "text/html-fragment"}),
        *(
            (False, {"Accept": HTML, "Sec-Fetch-Mode": mode})
            for mode in ("cors", "no-cors", "same-origin", "")
        ),
        (False, {"Accept": HTML, "X-Requested-With": "XMLHttpRequest"}),
        (False, {"Accept": HTML, "Upgrade": "websocket"}),
        (False, {"Accept": HTML, "Authorization": "Bearer x"}),
        (False, {"Accept": HTML, "Authorization": "Negotiate x"}),
        (False, {"Accept": HTML, "Authorization": "x"}),
        *((False, {"Accept": HTML, "X-Original-Method": verb}) for verb in ("POST", "OPTIONS", "DELETE")),
    ],
)
def test_only_browsers_without_a_credential_are_led_elsewhere(
    world: World, is_led: bool, headers: dict[str, str]
) -> None:
    answer = world.nobody.get("/v1/forward-auth", headers=doors.door(world).says() | headers)
    assert (answer.status_code, "location" in answer.headers) == (401, is_led)
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "proof",
    [
        {},
        {"Hourmark-Proxy-Secret": ""},
        {"Hourmark-Proxy-Secret": SECRET[:-1]},
        {"X-Forwarded-For": "127.0.0.1"},
    ],
    ids=["nothing", "empty", "nearly", "an address"],
)
def test_nobody_else_is_told_anything(door: Door, proof: dict[str, str]) -> None:
    key = door.world.holder("app:query@*")
    stranger = Door(door.world, door.app, door.host, door.kind, proof)
    answer = stranger.as_bearer(key.text)
    assert reason(answer) == (403, "unknown_proxy")
    assert SECRET not in answer.text


def test_a_proxy_that_has_not_heard_of_the_new_secret_goes_on(door: Door) -> None:
    key = door.world.holder("app:query@*")
    behind = Door(door.world, door.app, door.host, door.kind, {"Hourmark-Proxy-Secret": PREVIOUS_SECRET})
    assert behind.as_bearer(key.text).status_code == 200


def test_two_secrets_are_none(door: Door) -> None:
    sent = [*door.says().items(), ("Hourmark-Proxy-Secret", SECRET)]
    assert reason(door.world.nobody.get("/v1/forward-auth", headers=sent)) == (403, "unknown_proxy")


NGINX, FORWARDED = "X-Original-URL", "X-Forwarded-Host"


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        ("nginx", {NGINX: "https://elsewhere.example/"}, "unknown_app"),
        ("nginx", {NGINX: "https://HOST:8443/"}, "unknown_app"),
        ("nginx", {NGINX: "https://user@HOST/"}, "unclear_request"),
        ("nginx", {NGINX: "https://HOST\\.elsewhere.example/"}, "unclear_request"),
        ("nginx", {NGINX: "https://HOST"}, "unclear_request"),
        ("nginx", {NGINX: "https://HOST/a b"}, "unclear_request"),
        ("nginx", {NGINX: "javascript://HOST/"}, "unclear_request"),
        ("nginx", {NGINX: "//HOST/"}, "unclear_request"),
        ("nginx", {NGINX: "https://[::1]/"}, "unclear_request"),
        ("nginx", {NGINX: f"https://HOST/{'a' * 17000}"}, "unclear_request"),
        ("nginx", {"X-Original-Method": ""}, "unclear_request"),
        ("nginx", {"X-Original-Method": "GET, POST"}, "unclear_request"),
        ("nginx", {NGINX: ""}, "unclear_request"),
        ("nginx", {NGINX: "https://HOST:443/"}, None),
        ("nginx", {FORWARDED: "HOST", "X-Forwarded-Proto": "https", "X-Forwarded-Uri": "/"}, None),
        ("nginx", {FORWARDED: "elsewhere.example", "X-Forwarded-Proto": "https", "X-Forwarded-Uri": "/"},
         "unclear_request"),
        ("nginx", {FORWARDED: "HOST"}, "unclear_request"),
        ("forwarded", {FORWARDED: "elsewhere.example"}, "unknown_app"),
        ("forwarded", {FORWARDED: "HOST, elsewhere.example"}, "unclear_request"),
        ("forwarded", {FORWARDED: "HOST/x"}, None),
        ("forwarded", {FORWARDED: "HOST@elsewhere.example"}, "unclear_request"),
        ("forwarded", {FORWARDED: "HOST#"}, "unclear_request"),
        ("forwarded", {FORWARDED: ""}, "unclear_request"),
        ("forwarded", {"X-Forwarded-Proto": "wss"}, "unclear_request"),
        ("forwarded", {"X-Forwarded-Uri": "@elsewhere.example/"}, "unclear_request"),
        ("forwarded", {"X-Forwarded-Uri": "https://elsewhere.example/"}, "unclear_request"),
        ("forwarded", {NGINX: "https://elsewhere.example/", "X-Original-Method": "GET"}, "unclear_request"),
    ],
)  # fmt: skip
def test_what_is_asked_about_has_one_reading_or_none(
    world: World, kind: str, changes: dict[str, str], expected: str | None
) -> None:
    door, key = doors.door(world, kind), world.holder("app:query@*")
    changed = {name: value.replace("HOST", door.host) for name, value in changes.items()}
    answer = world.nobody.get("/v1/forward-auth", headers=door.says() | bearer(key.text) | changed)
    if expected is None:
        assert answer.status_code == 200, answer.text
    else:
        assert reason(answer) == (403, expected)


@pytest.mark.parametrize("name", ["X-Original-URL", "X-Original-Method"])
def test_what_is_said_twice_is_not_believed(world: World, name: str) -> None:
    door = doors.door(world)
    sent = [
        *door.says().items(),
        *bearer(world.holder("app:query@*").text).items(),
        (name, door.says()[name]),
    ]
    assert reason(world.nobody.get("/v1/forward-auth", headers=sent)) == (403, "unclear_request")


def test_nginx_hears_no_status_that_it_takes_for_a_failure(world: World) -> None:
    for kind, expected in (("nginx", 403), ("forwarded", 400)):
        door = doors.door(world, kind)
        twice = [*door.says().items(), ("Authorization", "Bearer a"), ("Authorization", "Bearer b")]
        answer = world.nobody.get("/v1/forward-auth", headers=twice)
        assert reason(answer) == (expected, "invalid_request")


def test_wrong_credentials_count_for_whoever_sent_them_to_the_proxy(world: World) -> None:
    """Not for the proxy, behind which everybody is."""
    door, key = doors.door(world), world.holder("app:query@*")
    wrong = f"{key.access}:{'x' * 38}"
    until(lambda: reason(door.as_bearer(wrong, X_Forwarded_For="192.0.2.66"))[1] == "slow_down")
    assert reason(door.as_bearer(wrong, X_Forwarded_For="192.0.2.66, 192.0.2.67")) == (401, "invalid_token")
    assert door.as_bearer(key.text, X_Forwarded_For="192.0.2.66").status_code == 200


def test_an_app_whose_owner_is_disabled_lets_nobody_in(world: World) -> None:
    owner = f"u{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": owner}))
    door, key = doors.door(world, owner=f"user:{owner}"), world.holder("app:query@*")
    assert door.as_bearer(key.text).status_code == 200
    world.admin.post(f"/v1/users/{owner}/disable").raise_for_status()
    assert reason(door.as_bearer(key.text)) == (403, "unknown_app")
    world.admin.post(f"/v1/users/{owner}/enable").raise_for_status()
    assert door.as_bearer(key.text).status_code == 200
    world.admin.delete(f"/v1/apps/{door.app.name}").raise_for_status()
    assert reason(door.as_bearer(key.text)) == (403, "unknown_app")


def test_another_process_hears_of_it(world: World, elsewhere: httpx.Client) -> None:
    door, key = doors.door(world), world.holder("app:query@*")

    def status(of: Door) -> int:
        return elsewhere.get("/v1/forward-auth", headers=of.says() | bearer(key.text)).status_code

    assert status(door) == 200
    world.admin.delete(f"/v1/apps/{door.app.name}").raise_for_status()
    until(lambda: status(door) == 403)
    assert status(doors.door(world)) == 200


def test_an_api_token_for_another_service_opens_none(world: World) -> None:
    door = doors.door(world)
    for audience, expected in ((SERVICES, 200), (OTHER, 401), (world.url, 401)):
        token = api_token(world, audiences=[audience])["token"]
        assert door.as_bearer(token).status_code == expected
