"""Identities of others become roles with no secret: a cluster's, a CI's, a provider's, another Hourmark's."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from tests.clients import claims
from tests.issuer.http.trust.asking import UID, ask, got, tried, trust
from tests.issuer.http.world import World, until
from tests.journeys.conftest import NewDatabase
from tests.journeys.oidc_provider import start_provider
from tests.journeys.terminal import Terminal
from tests.outside_issuer import OutsideIssuer, outside_issuer
from tests.running_issuer import RunningIssuer, start_issuer

HERE = {"HOURMARKD_OUTSIDE_PRIVATE_NETWORKS": "127.0.0.0/8", "HOURMARKD_FAILURES_PER_MINUTE": "100000"}
UID_CLAIM = "/kubernetes.io/serviceaccount/uid"
CALLBACK = "https://ci.test/callback"


@pytest.fixture(scope="module")
def new_database() -> NewDatabase:
    """One kind is enough: what differs between them is tried elsewhere."""
    return lambda: HERE


@pytest.fixture(scope="module")
def cluster() -> Iterator[OutsideIssuer]:
    """Kubernetes' API server signs with RSA."""
    with outside_issuer(algorithm="RS256") as running:
        yield running


@pytest.fixture
def role(world: World) -> str:
    return world.role("data:get@*")


@pytest.fixture
def terminal(world: World, role: str, tmp_path: Path) -> Iterator[Terminal]:
    """Of one who manages the trust policies of the role."""
    permissions = ("role-trust:create", "role-trust:delete", "role:get", "role:assume")
    key = world.holder(*(f"{permission}@{role}" for permission in permissions))
    with Terminal(tmp_path, HOURMARK_URL=world.url, HOURMARK_TOKEN=key.text) as opened:
        yield opened


def test_a_pod_gets_its_token_by_its_service_account(
    world: World, cluster: OutsideIssuer, terminal: Terminal, role: str, tmp_path: Path
) -> None:
    mounted = tmp_path / "service-account-token"
    mounted.write_text(cluster.service_account(world.url, "ml", "train", UID) + "\n")  # as jq writes it
    subject = f"--issuer {cluster.url} --subject system:serviceaccount:ml:train"
    uid = f"--claim {UID_CLAIM}={UID}"
    lint, nothing = f"hourmark role trust lint {role}", "Nothing is dangerous or doubtful.\n"
    assert terminal.run(f"{lint} {subject} {uid}").err == nothing
    assert terminal.run(lint).err == f"{role} has no trust policy: there is nothing to look over.\n"
    made = terminal.run(f"hourmark role trust new {role} {subject} {uid} --description training -o json")
    assert (made.code, made.err) == (0, "")
    assert terminal.run(lint).err == nothing
    (policy,) = terminal.json(f"hourmark role trust list {role} -o json")
    assert (policy["audience"], policy["description"]) == (world.url, "training")

    verdict = terminal.run(f"hourmark role trust test {role} - <{mounted}")
    assert verdict.out.startswith(f"yes: {role} takes the token by {policy['id']}\n"), verdict
    terminal(
        f"curl -sf -o token.json -d role={role} --data-urlencode assertion@{mounted}"
        ' -d grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer "$HOURMARK_URL/v1/token"'
    )
    terminal("""jwt=$(sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/' token.json)""")
    assert terminal("hourmark whoami --app-token $jwt --field principal") == f"role:{role}\n"
    assert terminal("hourmark verify $jwt --field client_id").strip() == policy["id"]

    for _ in range(2):
        gone = terminal(f"hourmark role trust delete {role} {policy['id']} --field deleted")
        assert gone.strip() == policy["id"]
    assert terminal.run("hourmark whoami --app-token $jwt").code == 4
    assert terminal.run(f"hourmark role trust list {role}").err == "There is none.\n"


def test_which_clause_fails_is_said_and_the_exit_code_is_5(
    world: World, cluster: OutsideIssuer, terminal: Terminal, role: str
) -> None:
    terminal(
        f"hourmark role trust new {role} --issuer {cluster.url} --subject system:serviceaccount:ml:train"
        f" --claim {UID_CLAIM}={UID}"
    )
    pasted = cluster.service_account("https://kubernetes.default.svc", "ml", "train", "u-2")
    done = terminal.run(f"hourmark role trust test {role} {pasted}")
    assert (done.code, done.err) == (5, "")
    assert done.out.startswith(f"no: no trust policy of {role} takes the token\n")
    wrong = f"expected {world.url}, found https://kubernetes.default.svc: the token has another one"
    for line in (
        "signature holds",
        f"audience fails, {wrong}",
        "subject holds",
        f"claim {UID_CLAIM} fails, expected {UID}, found u-2: the token has another one",
    ):
        assert f"    {line}\n" in done.out, done.out
    told = terminal.run(f"hourmark role trust test {role} {pasted} -o json")
    assert (told.code, '"accepted": false' in told.out) == (5, True)


def test_what_is_dangerous_is_refused_and_what_is_doubtful_is_said(
    world: World, cluster: OutsideIssuer, terminal: Terminal, role: str
) -> None:
    ci = f"--issuer {cluster.url}"
    for options, says in (
        (ci, "subject: it is missing"),
        (f"{ci} --subject-pattern 'repo:*'", "takes the names of others too"),
        (f"{ci} --subject-pattern 'repo:acme/app:x|repo:acme/web:x'", "| is no choice here"),
        (f"{ci} --subject-pattern 'repo:acme/**'", "one * at most"),
        ("--issuer https://10.0.0.1 --subject s-1", "HOURMARKD_OUTSIDE_PRIVATE_NETWORKS"),
        (f"--issuer {world.url} --subject s-1", "this issuer itself"),
    ):
        refused = terminal.run(f"hourmark role trust new {role} {options}")
        assert (refused.code, refused.out, says in refused.err) == (1, "", True), refused
    danger = terminal.run(f"hourmark role trust lint {role} {ci} --subject-pattern '*'")
    assert (danger.code, "every subject of the issuer" in danger.out) == (1, True)
    assert terminal.run(f"hourmark role trust list {role}").err == "There is none.\n"

    made = terminal.run(f"hourmark role trust new {role} {ci} --subject repo:acme/app:environment:prod")
    assert (made.code, "Doubtful: subject: it is made of names" in made.err) == (0, True), made
    linted = terminal.run(f"hourmark role trust lint {role} --field instead")
    assert (linted.code, "repository_id" in linted.out) == (0, True)


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("new ROLE --claim x", 2, "it is NAME=VALUE"),
        ("new ROLE --claim x=1 --claim x=2", 2, "given twice"),
        ("new ROLE --subject a --subject-pattern b --issuer https://a.example", 1, "not both"),
        ("new org.tests.another --issuer https://a.example --subject s", 5, "role-trust:create"),
        ("list org.tests.another", 5, "role:get"),
        ("test ROLE hmk_0123456789abcdef:x", 2, "role key"),
        ("test ROLE not.a.jwt", 1, "token: "),
        ("test ROLE", 1, "token: "),
    ],
)
def test_what_does_not_work_and_its_exit_code(
    terminal: Terminal, role: str, line: str, code: int, says: str
) -> None:
    done = terminal.run(f"hourmark role trust {line.replace('ROLE', role)}")
    assert (done.code, done.out) == (code, ""), done
    assert says in done.err, done


def test_a_ci_job_by_the_id_of_its_repository(world: World, cluster: OutsideIssuer, role: str) -> None:
    subject = "repo:acme/app:environment:production"
    trust(world, role, issuer=cluster.url, subject=subject, claims={"repository_id": "74"})
    job = {"repository": "acme/app", "repository_id": "74", "ref": "refs/heads/main", "run_id": "1"}
    assert got(ask(world, role, cluster.token(world.url, subject, **job)))["scope"] == "data:get@*"
    # The name was given up, and somebody else took it.
    other = cluster.token(world.url, subject, **job | {"repository_id": "75"})
    assert ask(world, role, other).status_code == 400


def test_a_policy_that_is_deleted_at_one_process_is_gone_at_the_other(
    world: World, other_process: RunningIssuer, cluster: OutsideIssuer, role: str
) -> None:
    policy = trust(world, role, issuer=cluster.url, subject="s-1")
    token = cluster.token(world.url, "s-1")
    with other_process.http("") as nobody, other_process.http() as admin:
        there = World(world.issuer, admin, nobody)
        issued = got(ask(there, role, token))["access_token"]
        assert there.is_active(issued)
        world.admin.delete(f"/v1/roles/{role}/trust/{policy['id']}").raise_for_status()
        until(lambda: ask(there, role, token).status_code == 400)
        until(lambda: not there.is_active(issued))


@pytest.mark.slow
def test_a_cluster_rotates_its_keys(world: World, role: str) -> None:
    with outside_issuer(algorithm="RS256") as cluster:
        trust(world, role, issuer=cluster.url, subject="system:serviceaccount:ml:train")
        old = cluster.service_account(world.url, "ml", "train", UID)
        got(ask(world, role, old))
        cluster.rotate()
        new = cluster.service_account(world.url, "ml", "train", UID)
        until(lambda: ask(world, role, new).status_code == 200)
        got(ask(world, role, old))
        cluster.publish(cluster.key)
        newest = cluster.rotate(keeps_old=False)
        until(lambda: ask(world, role, cluster.token(world.url, "system:serviceaccount:ml:train")).is_success)
        assert ask(world, role, old).status_code == 400
        assert newest.kid != cluster.key.kid


def test_a_role_of_another_hourmark(world: World, role: str, tmp_path: Path) -> None:
    with start_issuer(tmp_path, HOURMARKD_AUDIENCES=f"urn:there {world.url}") as there:
        with there.http() as admin, there.http("") as nobody:
            elsewhere = World(there, admin, nobody)
            key = elsewhere.holder("data:get@*", "data:put@*")
            trust(world, role, issuer=there.url, subject=f"role:{key.role}")
            theirs = elsewhere.token(key, resource=world.url)
            answer = got(ask(world, role, theirs))
            said = claims(answer["access_token"])
            assert (said["iss"], said["sub"], said["scope"]) == (world.url, f"role:{role}", "data:get@*")
            assert world.is_active(answer["access_token"])
            for token, clause in (
                (elsewhere.token(key, resource="urn:there"), "audience"),
                (elsewhere.token(elsewhere.holder("data:get@*"), resource=world.url), "subject"),
            ):
                assert ask(world, role, token).status_code == 400
                checks = tried(world, role, token).json()["checks"]
                assert [each["clause"] for each in checks if each["outcome"] == "fails"] == [clause]
        # The keys are known; while they are fresh nobody is asked.
        there.stop()
        got(ask(world, role, theirs))


def test_a_user_of_an_openid_provider(world: World, role: str) -> None:
    with start_provider(CALLBACK) as provider:
        trust(world, role, issuer=provider.url, subject="ada-1", audience="hourmark")
        token = _id_token(provider.url, provider.settings, {"sub": "ada-1"}, provider.through)
        said = claims(token)
        assert (said["iss"], said["aud"], said["sub"]) == (provider.url, "hourmark", "ada-1")
        assert got(ask(world, role, token))["scope"] == "data:get@*"
        other = _id_token(provider.url, provider.settings, {"sub": "eve-1"}, provider.through)
        assert ask(world, role, other).status_code == 400


def _id_token(url: str, client: dict[str, Any], account: dict[str, str], through: Any) -> str:
    """By the authorization code flow, as the provider's client."""
    proof = "a" * 64
    challenge = base64.urlsafe_b64encode(hashlib.sha256(proof.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "client_id": client["client_id"],
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid",
        "state": "s",
        "nonce": "n",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    back = through(f"{url}/auth?{urlencode(asked)}", account)
    form = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(back).query)["code"][0],
        "redirect_uri": CALLBACK,
        "code_verifier": proof,
    }
    answer = httpx.post(f"{url}/token", data=form, auth=(client["client_id"], client["client_secret"]))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id_token"])


def test_private_addresses_are_refused_by_default(tmp_path: Path) -> None:
    with (
        outside_issuer() as cluster,
        start_issuer(tmp_path) as strict,
        strict.http() as admin,
        strict.http("") as nobody,
    ):
        world = World(strict, admin, nobody)
        role = world.role("data:get@*")
        asked = {"issuer": cluster.url, "subject": "s-1"}
        refused = admin.post(f"/v1/roles/{role}/trust", json=asked)
        assert (refused.status_code, "no public address" in refused.json()["detail"]) == (422, True)
        assert not cluster.asked
