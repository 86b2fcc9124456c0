"""A launcher begins a job and runs a program in it, which gets its tokens with no secret baked in."""

from __future__ import annotations

import json
import os
import signal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from issuer.store import jobs
from tests.browsers import inside
from tests.clients import claims
from tests.issuer.http.world import World, bearer, open_world, until
from tests.journeys.jobs.state import state
from tests.journeys.terminal import Terminal


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


def test_an_api_token_starts_jobs_as_the_role_that_it_names(world: World, role: str, tmp_path: Path) -> None:
    with Terminal(tmp_path, HOURMARK_URL=world.url, ADMIN=world.issuer.admin_key) as terminal:
        create = "hourmark token create --app-token $ADMIN --role operator -l team=nlp --field token"
        launcher = terminal(f"{create} launcher --job-role {role}").strip()
        line = f"hourmark job new --role {role} -- sh -c 'hourmark whoami -o json; hourmark login token'"
        who, _, token = terminal(f"HOURMARK_TOKEN={launcher} {line}").strip().rpartition("\n")
        assert json.loads(who)["principal"] == f"role:{role}"
        assert claims(token)["labels"]["team"] == "nlp"
        refused = terminal.run(f"HOURMARK_TOKEN={terminal(f'{create} operator').strip()} {line}")
        assert (refused.code, f"role:assume@{role}" in refused.err) == (5, True)


@pytest.mark.parametrize(("name", "code"), [("TERM", 143), ("INT", 130), ("HUP", 129), ("USR1", 138)])
def test_a_signal_goes_on_to_the_program(
    terminal: Terminal, role: str, tmp_path: Path, name: str, code: int
) -> None:
    (tmp_path / "train").write_text("hourmark login token >token; touch began; exec sleep 60")
    line = (
        f"hourmark job new --role {role} -- bash train & launcher=$!; "
        f"for n in $(seq 1200); do test -e began && break; sleep 0.05; done; "
        f"kill -{name} $launcher; wait $launcher"
    )
    if name == "INT":  # bash has what it runs behind it ignore this one
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
    assert "start another job: hourmark job new" in refused.err


def test_inside_a_plain_get_gives_the_token_and_no_other_request_does(
    world: World, terminal: Terminal, role: str, tmp_path: Path
) -> None:
    (tmp_path / "get").write_text(
        """curl -s --unix-socket "$HOURMARK_TOKEN_SOCKET" -H "Metadata: true" "$@" """
    )
    (tmp_path / "train").write_text(
        """set -e
        stat -c %a "$HOURMARK_TOKEN_SOCKET" "$HOURMARK_ACCESS_TOKEN_FILE" >modes
        stat -c %a "$(dirname "$HOURMARK_TOKEN_SOCKET")" >>modes
        bash get -f http://localhost/v1/token >plain
        bash get -f "http://localhost/v1/token?resource=$HOURMARK_URL" >for-issuer
        cp "$HOURMARK_ACCESS_TOKEN_FILE" file
        hourmark status -o json >status
        unset HOURMARK_TOKEN_FILE
        hourmark login token >token
        hourmark whoami --field principal >who
        hourmark job list --state running --field id >jobs
        for more in "Metadata: no" "X-Forwarded-For: 192.0.2.1" "Host: elsewhere.example"; do
          bash get -H "$more" -o /dev/null -w "%{http_code} " http://localhost/v1/token >>refused
        done
        echo "$HOURMARK_TOKEN_SOCKET" >socket
        """
    )
    done = terminal.run(f"hourmark job new --role {role} -- bash train")
    assert (done.code, done.out) == (0, ""), done.err
    read = {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()}
    assert (read["modes"].split(), read["refused"]) == (["600", "600", "700"], "403 403 403 ")
    raw = json.loads(read["plain"])["access_token"]
    assert raw == read["token"].strip() == read["file"], "one token for all, as long as it is fresh"
    assert claims(json.loads(read["for-issuer"])["access_token"])["aud"] == world.url
    assert read["who"].strip() == f"role:{role}"
    assert claims(raw)["job"] in read["jobs"].split()
    shown = json.loads(read["status"])
    assert shown["credential"] == "HOURMARK_TOKEN_FILE"
    assert "HOURMARK_TOKEN_SOCKET" in [each["source"] for each in shown["hides"]]
    assert not Path(read["socket"].strip()).parent.exists(), "all of it goes with the command"


def test_the_token_file_is_replaced_before_its_token_dies(tmp_path: Path) -> None:
    """Tokens of seconds: what holds for an hour is seen in a moment."""
    (tmp_path / "train").write_text(
        """set -e
        cp "$HOURMARK_ACCESS_TOKEN_FILE" before
        while cmp -s "$HOURMARK_ACCESS_TOKEN_FILE" before; do sleep 0.05; done
        cp "$HOURMARK_ACCESS_TOKEN_FILE" after
        stat -c %a "$HOURMARK_ACCESS_TOKEN_FILE" >mode
        """
    )
    with (
        open_world(tmp_path, HOURMARKD_TOKEN_TTL="10") as world,
        Terminal(tmp_path, HOURMARK_URL=world.url, HOURMARK_TOKEN=world.issuer.admin_key) as terminal,
    ):
        role = world.role("data:get@*")
        done = terminal.run(f"hourmark job new --role {role} -- bash train")
    assert (done.code, done.err) == (0, ""), done.err
    before, after = (claims((tmp_path / name).read_text()) for name in ("before", "after"))
    assert before["iat"] < after["iat"] < before["exp"], "the next one was there before it died"
    assert (tmp_path / "mode").read_text() == "600\n"


def test_a_job_whose_launcher_is_killed_dies_at_its_limit(
    world: World, terminal: Terminal, role: str, tmp_path: Path
) -> None:
    (tmp_path / "train").write_text(
        """cp "$HOURMARK_TOKEN_FILE" ticket
        hourmark login token >token
        echo "$HOURMARK_TOKEN_SOCKET" >socket
        mv token token-is-there; read
        """
    )
    line = (
        f"mkfifo go-on; hourmark job new --role {role} --time-limit 60s -- bash train <go-on & launcher=$!; "
        "exec 3>go-on; for n in $(seq 1200); do test -e token-is-there && break; sleep 0.05; done; "
        "kill -KILL $launcher; wait $launcher"
    )
    assert terminal.run(line).code == 128 + 9
    ticket, raw, socket = (
        (tmp_path / name).read_text().strip() for name in ("ticket", "token-is-there", "socket")
    )
    said = claims(raw)
    assert said["exp"] - said["iat"] <= 60, "no token outlives it"
    assert state(terminal, said["job"]) == "running", "nobody was there to end it"
    gone = terminal.run(f"HOURMARK_TOKEN= HOURMARK_TOKEN_SOCKET={socket} hourmark login token")
    assert (gone.code, "hourmark job new" in gone.err) == (7, True)
    # A minute is over.
    with inside(world.issuer) as there, there.write("tests") as tx:
        row, _ = jobs.get(tx.session, said["job"])
        row.ends_at -= 60
        tx.session.add(row)
    assert state(terminal, said["job"]) == "timed_out"
    refused = terminal.run(f"HOURMARK_TOKEN={ticket} hourmark login token")
    assert (refused.code, "reached its limit" in refused.err) == (4, True)
    # What is in the folder is the program's until its end; then it goes with the next command.
    launch = f"hourmark job new --role {role} -- true"
    terminal(launch)
    assert Path(socket).parent.exists()
    terminal("exec 3>&-")
    until(lambda: terminal.run(launch).code == 0 and not Path(socket).parent.exists())


_HEADERS = ("Authorization", "Content-Type")


def test_a_signal_before_the_program_runs_ends_the_job_as_well(
    world: World, terminal: Terminal, role: str, tmp_path: Path
) -> None:
    """It comes while the issuer makes the job: it is heard when there is one that can be ended."""
    made: list[str] = []

    class PassesOn(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if self.path == "/v1/jobs":
                os.kill(int((tmp_path / "launcher").read_text()), signal.SIGTERM)
            self.pass_on()

        def pass_on(self) -> None:
            answer = httpx.request(
                self.command,
                world.url + self.path,
                headers={name: self.headers[name] for name in _HEADERS if name in self.headers},
                content=self.rfile.read(int(self.headers.get("Content-Length", "0"))),
            )
            if self.path == "/v1/jobs":
                made.append(answer.json()["id"])
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_DELETE = pass_on  # noqa: N815 - the library's names

        def log_message(self, *ignored: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), PassesOn) as server:
        Thread(target=server.serve_forever, args=(0.05,)).start()
        done = terminal.run(
            f"export HOURMARK_URL=http://127.0.0.1:{server.server_port}; bash -c "
            f"'echo $$ >launcher; exec hourmark job new --role {role} -- touch ran'"
        )
        server.shutdown()
    assert (done.code, (tmp_path / "ran").exists()) == (128 + 15, False), done.err
    assert len(made) == 1
    assert world.admin.get(f"/v1/jobs/{made[0]}").json()["state"] == "ended"


def test_labels_of_the_platform_are_its_own(terminal: Terminal, role: str) -> None:
    line = f"hourmark job new --role {role} -o json -l team=nlp"
    for reserved in ("hourmark/id", "hourmark/type"):
        done = terminal.run(f"{line} -l {reserved}=mine")
        assert (done.code, f"{reserved}: the platform sets it" in done.err) == (0, True), done.err
        job = json.loads(done.out)
        own = {"hourmark/id": job["id"], "hourmark/type": "job"}
        assert job["labels"] == {"team": "nlp"} | own
    refused = terminal.run(f"{line} -l hourmark/foo=mine")
    assert (refused.code, "is reserved" in refused.err) == (1, True)
    assert "the platform sets it" not in terminal.run(line).err


def test_what_cannot_be_run(terminal: Terminal, role: str) -> None:
    missing = terminal.run(f"hourmark job new --role {role} --name missing -- no-such-program")
    assert (missing.code, "no-such-program cannot be run" in missing.err) == (1, True)
    running = terminal.json("hourmark job list --state running -o json")
    assert "missing" not in [job["name"] for job in running], "the job has ended"
    for limit in ("10s", "91d"):
        refused = terminal.run(f"hourmark job new --role {role} --time-limit {limit} -- true")
        assert (refused.code, "why: --time-limit: a job lasts from a minute" in refused.err) == (1, True)
    for options, says in (("-l team", "NAME=VALUE"), ("-l a=b -l a=c", "given twice")):
        done = terminal.run(f"hourmark job new --role {role} {options} -- true")
        assert (done.code, says in done.err) == (2, True)
    nothing = terminal.run("hourmark job get job_of_nobody")
    assert (nothing.code, "hourmark job list" in nothing.err) == (1, True)
    other = terminal.run("hourmark job new --role org.account.other -- true")
    assert (other.code, "role:assume@org.account.other" in other.err) == (5, True)
