"""The tokens of a job that runs: after a leak, other labels, a permission less, and its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.clients import claims
from tests.issuer.http.world import World
from tests.journeys.terminal import Terminal


def test_a_token_that_leaked_is_ended_without_ending_the_job(
    terminal: Terminal, role: str, tmp_path: Path
) -> None:
    (tmp_path / "train").write_text(
        """set -e
        cp "$HOURMARK_ACCESS_TOKEN_FILE" leaked
        hourmark logout
        me="$HOURMARK_URL/v1/me"
        if curl -sf -o /dev/null -H "Authorization: Bearer $(cat leaked)" "$me"; then exit 9; fi
        hourmark login token >other
        curl -sf -o me -H "Authorization: Bearer $(cat other)" "$me"
        """
    )
    done = terminal.run(f"hourmark job new --role {role} -- bash train")
    assert (done.code, "It goes on" in done.err) == (0, True), done.err
    assert json.loads((tmp_path / "me").read_text())["principal"] == f"role:{role}"


def test_a_job_never_signs_its_starter_out(
    world: World, terminal: Terminal, role: str, tmp_path: Path
) -> None:
    """Whatever of a job's surroundings is left; with the ticket behind another credential, that ends."""
    (tmp_path / "key").write_text(world.holder("data:get@*").text)
    terminal("hourmark login --profile default --token-file key")
    (tmp_path / "train").write_text(
        """set -e
        for line in "hourmark exec -- hourmark logout" "env -u HOURMARK_TOKEN_FILE hourmark logout"; do
            code=0
            $line 2>>said || code=$?
            test $code = 2
        done
        cp "$HOURMARK_ACCESS_TOKEN_FILE" leaked
        HOURMARK_TOKEN=$(cat leaked) hourmark logout
        if curl -sf -H "Authorization: Bearer $(cat leaked)" "$HOURMARK_URL/v1/me"; then exit 9; fi
        """
    )
    done = terminal.run(f"hourmark job new --role {role} -- bash train")
    assert (done.code, "It goes on" in done.err) == (0, True), done
    said = (tmp_path / "said").read_text()
    assert "credential from HOURMARK_TOKEN counts" in said
    assert "credential from HOURMARK_TOKEN_SOCKET counts" in said
    assert terminal("HOURMARK_TOKEN= hourmark status --field credential") == "profile default\n"


def test_a_job_that_runs_gets_other_labels(world: World, role: str, tmp_path: Path) -> None:
    key = world.holder("job:*@*[team=nlp]", f"role:assume@{role}")
    with Terminal(tmp_path, HOURMARK_URL=world.url, HOURMARK_TOKEN=key.text) as terminal:
        job = terminal.json(f"hourmark job new --role {role} -l stage=test -o json")
        label = f"hourmark job label {job['id']}"
        changed = terminal.json(f"{label} -l team=nlp -l stage=live -o json")["labels"]
        assert {name: changed[name] for name in ("team", "stage")} == {"team": "nlp", "stage": "live"}
        token = terminal(f"HOURMARK_TOKEN={job['ticket']} hourmark login token").strip()
        assert claims(token)["labels"] == changed
        for options, code, says in (
            ("-l team=vision", 5, "job:label@"),  # out of reach afterwards
            ("--clear", 5, "job:label@"),
            ("-l hourmark/id=x -l team=nlp", 1, "the platform's"),
            ("", 2, "--clear"),
            ("-l team=nlp --clear", 2, "--clear"),
        ):
            refused = terminal.run(f"{label} {options}")
            assert (refused.code, says in refused.err) == (code, True), refused.err
        assert terminal.json(f"hourmark job get {job['id']} -o json")["labels"] == changed
        terminal(f"hourmark job end {job['id']}")
        ended = terminal.run(f"{label} -l team=nlp -l stage=new")
        assert (ended.code, "has ended" in ended.err) == (1, True)
    other = world.admin.post("/v1/jobs", json={"role": role, "labels": {"team": "vision"}}).json()
    with Terminal(tmp_path, HOURMARK_URL=world.url, HOURMARK_TOKEN=key.text) as terminal:
        refused = terminal.run(f"hourmark job label {other['id']} -l team=nlp")
    assert (refused.code, "job:label@" in refused.err) == (5, True), "out of reach before"


ENDS = {
    "labels": "hourmark job label $(cat job) -l team=vision",
    "logout": "HOURMARK_TOKEN=$(cat ticket) hourmark logout",
    "permission": "hourmark role policy delete --app-token $ADMIN $ROLE $POLICY",
}


@pytest.mark.parametrize("change", ENDS)
def test_what_ends_the_tokens_of_a_job_that_runs_brings_others(
    world: World, terminal: Terminal, role: str, tmp_path: Path, change: str
) -> None:
    """Nobody in the job refuses a token or asks for another one: its file and its endpoint hear of it."""
    made = world.admin.post(f"/v1/roles/{role}/policies", json={"permission": "data:put@*"}).json()
    (tmp_path / "train").write_text(
        """set -e
        get() {
            curl -sf --unix-socket "$HOURMARK_TOKEN_SOCKET" -H "Metadata: true" "http://localhost/v1/token$1"
        }
        cp "$HOURMARK_TOKEN_FILE" ticket
        hourmark whoami --field client_id >job
        get "" >socket-before
        get "?scope=data:get@*" >narrow-before
        cp "$HOURMARK_ACCESS_TOKEN_FILE" file-before
        touch began
        for n in $(seq 1200); do
            cmp -s "$HOURMARK_ACCESS_TOKEN_FILE" file-before || break
            sleep 0.05
        done
        cp "$HOURMARK_ACCESS_TOKEN_FILE" file-after
        get "" >socket-after
        get "?scope=data:get@*" >narrow-after
        """
    )
    terminal(f"export ADMIN={world.issuer.admin_key} ROLE={role} POLICY={made['id']}")
    done = terminal.run(
        f"hourmark job new --role {role} -l team=nlp -- bash train & launcher=$!; "
        "for n in $(seq 1200); do test -e began && break; sleep 0.05; done; "
        f"{ENDS[change]} >/dev/null; wait $launcher"
    )
    assert done.code == 0, done.err
    read = {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()}
    tokens = {
        name: text if name.startswith("file") else json.loads(text)["access_token"]
        for name, text in read.items()
        if name.endswith(("-before", "-after"))
    }
    said = {name: claims(token) for name, token in tokens.items()}
    for kind in ("file", "socket", "narrow"):
        before, after = (said[f"{kind}-{moment}"]["status"] for moment in ("before", "after"))
        assert before != after, f"{kind}: what ended is there still"
    if change == "labels":
        assert said["socket-after"]["labels"]["team"] == "vision"
    if change == "permission":
        assert "data:put@*" not in said["file-after"]["scope"].split()


ENDINGS = {
    "ended": "hourmark job end $(cat job)",
    "role deleted": "hourmark role delete --app-token $ADMIN $ROLE",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_after_its_end_a_job_gets_no_token_from_anybody(
    world: World, terminal: Terminal, role: str, tmp_path: Path, ending: str
) -> None:
    """Ended from elsewhere while its program runs: what it had is not handed out, nor left in the file."""
    terminal(f"export ADMIN={world.issuer.admin_key} ROLE={role}")
    (tmp_path / "train").write_text(
        """set -e
        hourmark whoami --field client_id >job
        touch began
        for n in $(seq 1200); do
            test -e "$HOURMARK_ACCESS_TOKEN_FILE" || break
            sleep 0.05
        done
        test ! -e "$HOURMARK_ACCESS_TOKEN_FILE"
        if hourmark login token; then exit 9; fi
        for scope in "" "?scope=data:get@*"; do
            curl -s --unix-socket "$HOURMARK_TOKEN_SOCKET" -H "Metadata: true" -w "\n%{http_code}\n" \
                "http://localhost/v1/token$scope" >>socket
        done
        """
    )
    done = terminal.run(
        f"hourmark job new --role {role} -- bash train & launcher=$!; "
        "for n in $(seq 1200); do test -e began && break; sleep 0.05; done; "
        f"{ENDINGS[ending]} >/dev/null; wait $launcher"
    )
    assert done.code == 0, done.err
    first, *_ = answers = (tmp_path / "socket").read_text().splitlines()
    assert answers[1::2] == ["401", "401"]
    assert json.loads(first)["error"] == "invalid_token"
    said = [line for line in done.err.splitlines() if line.startswith("There is")]
    assert len(said) == 1, "once"
    assert "its job has ended" in said[0]
