"""Real kubectl, at a server that wants a token for its own audience."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.certificates import self_signed
from tests.clients import claims
from tests.issuer.http.world import OTHER, World
from tests.journeys.credential_helpers.serving import served
from tests.journeys.terminal import Terminal


class ApiServer(BaseHTTPRequestHandler):
    """Answers whoever has a token of this issuer."""

    def __init__(self, *given: object, world: World, tokens: list[str]) -> None:
        self._world, self._tokens = world, tokens
        super().__init__(*given)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self._tokens.append(token)
        body = json.dumps({"kind": "Status", "served": self.path}).encode()
        self.send_response(200 if self._world.is_active(token) else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *ignored: object) -> None:
        pass


def test_kubectl_asks_with_a_fresh_token(world: World, terminal: Terminal, tmp_path: Path) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl: install it, or Debian's package kubernetes-client")
    tokens: list[str] = []
    pem = self_signed(tmp_path, "127.0.0.1")
    with served(partial(ApiServer, world=world, tokens=tokens), pem=pem) as host:
        asks = {"server": f"https://{host}", "certificate-authority": str(pem)}
        plugin = {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": "hourmark",
            "args": ["credential", "kubernetes", "--resource", OTHER],
        }
        kubeconfig = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "there",
            "contexts": [{"name": "there", "context": {"cluster": "there", "user": "me"}}],
            "clusters": [{"name": "there", "cluster": asks}],
            "users": [{"name": "me", "user": {"exec": plugin}}],
        }
        (tmp_path / "kubeconfig").write_text(json.dumps(kubeconfig))
        assert "/api/v1/pods" in terminal("KUBECONFIG=kubeconfig kubectl get --raw /api/v1/pods")
        nobody = terminal.run("HOURMARK_TOKEN= KUBECONFIG=kubeconfig kubectl get --raw /api/v1/pods")
    assert {claims(token)["aud"] for token in tokens} == {OTHER}
    assert (nobody.code, "hourmark login" in nobody.err) == (1, True)


def test_what_it_prints(terminal: Terminal) -> None:
    info = '{"apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential", "spec": {}}'
    for given, version in (("", "v1"), (f"KUBERNETES_EXEC_INFO='{info}' ", "v1beta1")):
        made = terminal.json(f"{given}hourmark credential kubernetes --resource {OTHER}")
        assert (made["apiVersion"], made["kind"]) == (
            f"client.authentication.k8s.io/{version}",
            "ExecCredential",
        )
        said = claims(made["status"]["token"])
        ends_at = datetime.fromisoformat(made["status"]["expirationTimestamp"]).timestamp()
        assert said["aud"] == OTHER
        assert said["iat"] < ends_at < said["exp"], "it is asked for the next one while this one is good"


@pytest.mark.parametrize(
    ("info", "says"),
    [
        ("{bad", "it is no JSON object"),
        ("[]", "it is no JSON object"),
        ('{"apiVersion": "client.authentication.k8s.io/v1alpha1"}', "its apiVersion is none of"),
        ('{"kind": "x"}', "its apiVersion is none of"),
    ],
    ids=["no JSON", "a list", "alpha", "none"],
)
def test_what_is_no_question_of_kubectl(terminal: Terminal, info: str, says: str) -> None:
    done = terminal.run(f"KUBERNETES_EXEC_INFO='{info}' hourmark credential kubernetes")
    assert (done.code, done.out, says in done.err) == (2, "", True), done.err
