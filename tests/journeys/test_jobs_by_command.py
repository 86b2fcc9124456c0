"""A launcher begins a job and runs a program in it, which gets its tokens with no secret baked in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients import claims
from tests.issuer.http.world import World, bearer
from tests.journeys.conftest import NewDatabase
from tests.journeys.terminal import Terminal
from tests.running_issuer import RunningIssuer


@pytest.fixture(scope="module")
def new_database() -> NewDatabase:
    """One kind is enough: the command line knows nothing of databases."""
    return dict


@pytest.fixture(scope="module")
def world(issuer: RunningIssuer) -> Iterator[World]:
    with issuer.http() as admin, issuer.http("") as nobody:
        yield World(issuer, admin, nobody)


@pytest.fixture
def role(world: World) -> str:
    return world.role("data:get@*", "job:get@*")


@pytest.fixture
def terminal(world: World, role: str, tmp_path: Path) -> Iterator[Terminal]:
    """Of one who may begin jobs as the role."""
    key = world.holder("job:*@*", f"role:assume@{role}")
    with Terminal(tmp_path, HOURMARK_URL=world.url, HOURMARK_TOKEN=key.text) as opened:
        yield opened


def state(terminal: Terminal, job: str) -> str:
    return terminal(f"hourmark job get {job} --field state").strip()


def test_a_program_runs_as_the_role_and_the_job_ends_with_it(
    world: World, terminal: Terminal, role: str, tmp_path: Path
) -> None:
    (tmp_path / "train").write_text(
        """set -e
        test -z "$HOURMARK_TOKEN"
        stat -c %a "$HOURMARK_TOKEN_FILE" >mode
        hourmark whoami -o json >who
        hourmark login token >token
        curl -sf -o me -H "$(hourmark login token -H)" "$HOURMARK_URL/v1/me"
        hourmark job list --state running -o json >jobs
        exit 7
        """
    )
    done = terminal.run(f"hourmark job new --role {role} --name nightly -l team=nlp -- bash train")
    assert (done.code, done.out) == (7, ""), done.err
    read = {name: (tmp_path / name).read_text().strip() for name in ("mode", "who", "token", "me", "jobs")}
    assert read["mode"] == "600"
    said = claims(read["token"])
    assert json.loads(read["who"])["principal"] == said["sub"] == f"role:{role}"
    assert (said["labels"]["team"], json.loads(read["me"])["client_id"]) == ("nlp", said["job"])
    assert said["job"] in [job["id"] for job in json.loads(read["jobs"])]
    assert state(terminal, said["job"]) == "ended"
    assert not world.is_active(read["token"])


@pytest.mark.parametrize(("signal", "code"), [("TERM", 143), ("INT", 130), ("HUP", 129)])
def test_a_signal_goes_on_to_the_program(
    terminal: Terminal, role: str, tmp_path: Path, signal: str, code: int
) -> None:
    (tmp_path / "train").write_text("hourmark login token >token; touch began; exec sleep 60")
    line = (
        f"hourmark job new --role {role} -- bash train & launcher=$!; "
        f"for n in $(seq 400); do test -e began && break; sleep 0.05; done; "
        f"kill -{signal} $launcher; wait $launcher"
    )
    if signal == "INT":  # bash has what it runs behind it ignore this one
        line = f"set -m; {line}"
    assert terminal.run(line).code == code
    assert state(terminal, claims((tmp_path / "token").read_text().strip())["job"]) == "ended"


def test_a_ticket_alone_is_shown_once_and_used_elsewhere(world: World, terminal: Terminal, role: str) -> None:
    job = terminal.json(f"hourmark job new --role {role} --time-limit 2h -o json")
    assert world.nobody.get("/v1/token", headers=bearer(job["ticket"])).status_code == 200
    assert "ticket" not in terminal.json(f"hourmark job get {job['id']} -o json")
    whose = terminal(f"HOURMARK_TOKEN={job['ticket']} hourmark whoami --field principal")
    assert whose.strip() == f"role:{role}"
    for _ in range(2):
        assert terminal(f"hourmark job end {job['id']} --field state").strip() == "ended"
    refused = terminal.run(f"HOURMARK_TOKEN={job['ticket']} hourmark whoami")
    assert refused.code == 4
    assert "job has ended" in refused.err


def test_what_cannot_be_run(terminal: Terminal, role: str) -> None:
    missing = terminal.run(f"hourmark job new --role {role} -- no-such-program")
    assert (missing.code, "no-such-program cannot be run" in missing.err) == (1, True)
    assert terminal.json("hourmark job list --state running -o json") == [], "the job has ended"
    for options, says in (("-l team", "NAME=VALUE"), ("-l a=b -l a=c", "given twice")):
        done = terminal.run(f"hourmark job new --role {role} {options} -- true")
        assert (done.code, says in done.err) == (2, True)
    other = terminal.run("hourmark job new --role org.account.other -- true")
    assert (other.code, "role:assume@org.account.other" in other.err) == (5, True)
