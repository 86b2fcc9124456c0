"""People and programs at a platform that accepts Hourmark's tokens: each test is one of their stories."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import yaml

from keys import RoleKey
from tests.browsers import signed_in
from tests.clients import claims, register
from tests.issuer.http.world import OTHER, SERVICES, World, made
from tests.journeys.client import seconds_until
from tests.journeys.conftest import NewDatabase
from tests.journeys.person import Person
from tests.journeys.platform import RunningPlatform, serve_platform
from tests.journeys.terminal import Terminal
from tests.running_issuer import RunningIssuer

BASETOKEN = "hourmark token create basetoken --label-selector model=base --role operator"
STATUS = "curl -s -o /dev/null -w '%{http_code}'"


@pytest.fixture(scope="module")
def new_database() -> NewDatabase:
    """One kind is enough; there are two services."""
    return lambda: {"HOURMARKD_AUDIENCES": f"{SERVICES} {OTHER}"}


@pytest.fixture(scope="module")
def platform(issuer: RunningIssuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    with serve_platform(issuer, SERVICES, tmp_path_factory.mktemp("platform")) as running:
        yield running


def new_user(world: World, *permissions: str) -> str:
    name = f"u{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": name}))
    made(world.admin.post(f"/v1/users/{name}/roles", json={"role": world.role(*permissions)}))
    return name


@contextmanager
def terminal_of(world: World, user: str, folder: Path, platform: RunningPlatform) -> Iterator[Terminal]:
    """Where `user` has signed in, by a browser."""
    folder.mkdir(exist_ok=True)
    with signed_in(world.issuer, user) as browser:
        Person(world.issuer, folder / "config", browser).sign_in_here()
    no_keyring = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    with Terminal(folder, HOURMARK_URL=world.url, PLATFORM=platform.url, **no_keyring) as opened:
        yield opened


MINE = '-H "$(hourmark login token -H)"'
"""What curl sends for the user."""


def submits(terminal: Terminal, name: str, **labels: str) -> None:
    body = json.dumps({"name": name, "labels": labels})
    terminal(f"curl -sf {MINE} -d '{body}' $PLATFORM/app")


def test_a_model_platform_gives_out_tokens_by_label(
    world: World, platform: RunningPlatform, tmp_path: Path
) -> None:
    ada = new_user(world, "app:*@*", "job:*@*")
    llama, whisper, mistral, phi = (
        f"{name}-{uuid4().hex[:8]}" for name in ("llama", "whisper", "mistral", "phi")
    )
    with terminal_of(world, ada, tmp_path, platform) as terminal:
        # Two apps are up; a token is made for those of one model.
        submits(terminal, llama, model="base", owner="ada")
        submits(terminal, whisper, model="large")
        shown = yaml.safe_load(terminal(BASETOKEN))
        assert (shown["role"], shown["selector"]) == ("operator", "model=base")
        token = shown["token"]
        short = terminal.json("hourmark token create short -l model=base --role operator -o json")
        assert short["scope"] == shown["scope"] == "app:*@*[model=base] job:*@*[model=base]"

        # It is used as it is, by whatever speaks HTTP.
        terminal(f"export TOKEN={token}")
        ask = 'curl -s -X POST -H "Authorization: Bearer $TOKEN"'
        assert terminal.json(f"{ask} $PLATFORM/app/{llama}/query")["for"] == f"user:{ada}"
        refused = terminal.json(f"{ask} $PLATFORM/app/{whisper}/query")
        assert refused["code"] == "insufficient_scope"
        assert f"app:query@{whisper}[" in refused["detail"]

        # What comes later is reached too, if it matches; and only what matches is seen.
        submits(terminal, mistral, model="base")
        assert terminal.json(f"{ask} $PLATFORM/app/{mistral}/query")
        listed = terminal.json('curl -s -H "Authorization: Bearer $TOKEN" $PLATFORM/app')
        assert {llama, mistral} <= {each["name"] for each in listed}
        assert {each["labels"]["model"] for each in listed} == {"base"}

        # What is made with it gets its label, and nothing is made that it would not reach.
        got = platform.submit(token, phi, size="small", **{"hourmark/id": "mine"})
        assert (got["model"], got["size"], got["hourmark/type"]) == ("base", "small", "app")
        assert got["hourmark/id"] != "mine"
        line = f"hourmark token create one -l hourmark/id={got['hourmark/id']} --role operator --field token"
        one = terminal(line).strip()
        assert [platform.status(one, f"/app/{name}") for name in (phi, llama)] == [200, 403], (
            "by its id alone"
        )
        large = {"name": f"{phi}-2", "labels": {"model": "large"}}
        assert platform.ask(token, "POST", "/app", large).status_code == 403
        assert platform.ask(token, "PUT", f"/app/{phi}/labels", {"model": "large"}).status_code == 403
        assert platform.ask(token, "PUT", f"/app/{phi}/labels", {"model": "base"}).status_code == 200
        assert platform.ask(token, "DELETE", f"/app/{phi}").status_code == 200

        # It is listed, and never shown again.
        listing = terminal("hourmark token list -o json")
        assert RoleKey.parse(token).secret not in listing
        prefixes = {each["name"]: each["prefix"] for each in json.loads(listing)}
        assert prefixes == {"basetoken": token[:8], "short": short["token"][:8], "one": one[:8]}

        # Renewed, it keeps everything but the secret; the old one and what was got with it are over.
        jwt = terminal("hourmark login token --app-token $TOKEN").strip()
        assert platform.status(jwt, f"/app/{llama}") == 200
        renewed = terminal.json(f"hourmark token renew {shown['id']} -o json")
        kept = ("id", "name", "role", "selector", "scope")
        assert [renewed[name] for name in kept] == [shown[name] for name in kept]
        assert platform.status(renewed["token"], f"/app/{llama}") == 200, "at once"
        for old in (jwt, token):
            platform.until_refused(old, f"/app/{llama}")

        # With grace, the old one works on.
        latest = terminal(f"hourmark token renew {shown['id']} --grace 24h --field token").strip()
        assert [platform.status(each, f"/app/{llama}") for each in (latest, renewed["token"])] == [200, 200]

        # Deleted, it is gone for good.
        terminal(f"hourmark token delete {shown['id']}")
        for old in (latest, renewed["token"]):
            platform.until_refused(old, f"/app/{llama}")
        assert terminal.run(f"hourmark token get {shown['id']}").code == 1
    assert_no_secret(platform, token, latest, renewed["token"], short["token"])


def test_a_protected_endpoint_and_a_personal_token(
    world: World, platform: RunningPlatform, tmp_path: Path
) -> None:
    bo = new_user(world, "app:*@*", "job:*@*", "data:*@*", "repository:*@*")
    fraud, churn = (f"{name}-{uuid4().hex[:8]}" for name in ("fraud", "churn"))
    with terminal_of(world, bo, tmp_path, platform) as terminal:
        # For the programs that call one deployment, and do nothing else.
        for name in (fraud, churn):
            submits(terminal, name)
        line = f"hourmark token create endpoint --role protected-endpoint --resource {fraud} --field token"
        endpoint = terminal(line).strip()
        everywhere = terminal("hourmark token create all --role protected-endpoint --field token").strip()
        assert [platform.status(endpoint, f"/app/{name}") for name in (fraud, churn)] == [200, 403]
        assert [platform.status(everywhere, f"/app/{name}") for name in (fraud, churn)] == [200, 200]
        assert platform.ask(endpoint, "DELETE", f"/app/{fraud}").status_code == 403
        assert platform.ask(endpoint, path="/app").json() == []

        # Who sends nothing, who sends what is wrong, and who may not are told apart.
        query = f"-X POST $PLATFORM/app/{fraud}/query"
        wrong = RoleKey.generate().reveal()
        for header, status, challenge in (
            ("X-None: 1", 401, "Bearer"),
            (f"Authorization: Bearer {wrong}", 401, 'Bearer error="invalid_token"'),
            (f"Authorization: Bearer {endpoint[:-1]}", 401, 'Bearer error="invalid_token"'),
        ):
            head = terminal(f"curl -s -D - -o /dev/null -H '{header}' {query}")
            assert head.startswith(f"HTTP/1.1 {status}")
            assert f"www-authenticate: {challenge}" in head
        head = terminal(f"curl -s -D - -H 'Authorization: Bearer {endpoint}' -X DELETE $PLATFORM/app/{fraud}")
        assert head.startswith("HTTP/1.1 403")
        assert f'Bearer error="insufficient_scope", scope="app:delete@{fraud}[' in head

        # A developer's own token is in a variable, from there on all that they do goes by it.
        line = "hourmark token create personal --role developer-operations --field token"
        personal = terminal(line).strip()
        terminal(f"hourmark logout; export HOURMARK_TOKEN={personal}")
        assert terminal("hourmark whoami --field principal").strip() == f"user:{bo}"
        submits(terminal, f"{fraud}-2", stage="test")
        delete = f"-X DELETE {MINE} $PLATFORM/app/{fraud}-2"
        assert [terminal(f"{STATUS} {delete}") for _ in range(2)] == ["200", "404"]
        assert terminal.run("hourmark token list").code == 5, "it makes no credentials"
    assert_no_secret(platform, endpoint, everywhere, personal, wrong)


def test_a_role_for_jobs_and_an_app_for_a_user(
    world: World, platform: RunningPlatform, tmp_path: Path
) -> None:
    role, workspace = f"org.account.token-{uuid4().hex[:8]}", f"org.account.{uuid4().hex[:8]}"
    permission = f"data:get@urn:hourmark:data:{workspace}"
    data = f"$PLATFORM/data/{workspace}"
    with terminal_of(world, "admin", tmp_path, platform) as terminal:
        # A role account, what it may do, and its key in a variable.
        terminal(f"hourmark role new {role}")
        terminal(f'hourmark role policy new {role} "{permission}"')
        template = '--format text --format-template "{{.Access}}:{{.Secret}}"'
        terminal(f"TOKEN=$(hourmark role key new {role} {template})")
        told = {"workspace": workspace, "for": f"role:{role}", "by": None}
        for credential in ('-H "Authorization: Bearer $TOKEN"', '-u "$TOKEN"'):
            assert terminal.json(f"curl -s {credential} {data}") == told
            assert terminal(f"{STATUS} {credential} {data}-2") == "403"

        # A job runs as the role, without any secret of it.
        (tmp_path / "train").write_text(
            f"""set -e
            test -z "$HOURMARK_TOKEN"
            hourmark login token >token
            curl -sf -H "$(hourmark login token -H)" {data} >told
            """
        )
        terminal(f"hourmark job new --role {role} -- bash train")
        assert json.loads((tmp_path / "told").read_text()) == told
        token = (tmp_path / "token").read_text().strip()
        assert claims(token)["job"].startswith("job_")
        seconds_until(lambda: platform.ask(token, path=f"/data/{workspace}").status_code == 401)

    # An app acts for a user who has agreed, and only as far as both may.
    carl, app = new_user(world, permission, "data:put@*"), register(world, scope="data:get@* openid")
    with signed_in(world.issuer, carl) as browser:
        tokens = app.sign_in(browser, scope="openid data:get@* data:put@*", resource=SERVICES)
        on_behalf = tokens["access_token"]
        told = {"workspace": workspace, "for": f"user:{carl}", "by": claims(on_behalf)["act"]["sub"]}
        assert platform.ask(on_behalf, path=f"/data/{workspace}").json() == told
        assert platform.ask(on_behalf, path=f"/data/{workspace}-2").status_code == 403
        assert claims(on_behalf)["scope"] == f"{permission} openid"
    with terminal_of(world, carl, tmp_path / "carl", platform) as terminal:
        (consent,) = terminal("hourmark consent list --field id").split()
        terminal(f"hourmark consent delete {consent}")
    seconds_until(lambda: platform.ask(on_behalf, path=f"/data/{workspace}").status_code == 401)


def test_one_string_is_good_in_four_places(world: World, platform: RunningPlatform, tmp_path: Path) -> None:
    """At a service, as an option, in a variable, and at the token endpoint: unchanged."""
    dora = new_user(world, "app:*@*", "job:*@*")
    with terminal_of(world, dora, tmp_path, platform) as terminal:
        token = terminal.json("hourmark token create four --role operator -o json")
        terminal(f"export TOKEN={token['token']}; hourmark logout")
        assert terminal(f'{STATUS} -H "Authorization: Bearer $TOKEN" $PLATFORM/app') == "200"
        for line in ("hourmark whoami --app-token $TOKEN", "HOURMARK_TOKEN=$TOKEN hourmark whoami"):
            assert terminal(f"{line} --field client_id").strip() == token["id"]
        issued = terminal.json('curl -s -u "$TOKEN" -d grant_type=client_credentials $HOURMARK_URL/v1/token')
        assert claims(issued["access_token"])["client_id"] == token["id"]
        assert terminal.run("hourmark whoami").code == 4, "nothing else signs in here"


def test_a_token_for_one_service_is_refused_at_another(
    world: World, platform: RunningPlatform, issuer: RunningIssuer, tmp_path: Path
) -> None:
    eve = new_user(world, "app:*@*", "job:*@*")
    with (
        terminal_of(world, eve, tmp_path, platform) as terminal,
        serve_platform(issuer, OTHER, tmp_path) as other,
    ):
        line = f"hourmark token create there --role operator --audience {OTHER} --field token"
        there = terminal(line).strip()
        refused = platform.ask(there)
        assert (refused.status_code, refused.json()["reason"]) == (401, "wrong_audience")
        assert other.ask(there).status_code == 200
        # So is what it is exchanged for; one for no service in particular is good at each.
        jwt = terminal(f"hourmark login token --app-token {there}").strip()
        assert [each.ask(jwt).status_code for each in (platform, other)] == [401, 200]
        anywhere = terminal("hourmark token create anywhere --role operator --field token").strip()
        assert [each.ask(anywhere).status_code for each in (platform, other)] == [200, 200]


def assert_no_secret(platform: RunningPlatform, *tokens: str) -> None:
    """In what the platform logged of all this, at its most talkative."""
    log = platform.log.read_text()
    assert "HTTP/1.1" in log
    assert not any(RoleKey.parse(token).secret in log for token in tokens)
