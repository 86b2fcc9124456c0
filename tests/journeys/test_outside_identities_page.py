"""docs/outside-identities.md: a program, a pod and a CI job get their tokens, as printed."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.clients import claims
from tests.issuer.http.trust.asking import UID
from tests.issuer.http.world import World
from tests.journeys.conftest import NewDatabase
from tests.journeys.printed import command_blocks, fenced_blocks
from tests.journeys.terminal import Terminal
from tests.outside_issuer import outside_issuer
from tests.vectors import PROJECT

PAGE = (PROJECT / "docs" / "outside-identities.md").read_text()
SECTIONS = dict(re.findall(r"^##+ ([^\n]+)\n(.*?)(?=^##+ |\Z)", PAGE, re.DOTALL | re.MULTILINE))
HOURMARK, REPOSITORY = "https://hourmark.example", "repo:acme/app:environment:production"


@pytest.fixture(scope="module")
def new_database() -> NewDatabase:
    """One kind is enough; outside issuers of tests are on loopback."""
    return lambda: {"HOURMARKD_OUTSIDE_PRIVATE_NETWORKS": "127.0.0.0/8"}


def test_as_printed(world: World, tmp_path: Path) -> None:
    if shutil.which("jq") is None:
        pytest.skip("no jq: install it")
    with (
        outside_issuer() as outside,
        Terminal(tmp_path, HOURMARK_URL=world.url, HOURMARK_TOKEN=world.issuer.admin_key) as terminal,
    ):

        def typed(line: str, filled_in: dict[str, str]) -> str:
            for printed, text in {HOURMARK: world.url, **filled_in}.items():
                line = line.replace(printed, text)
            return terminal(line)

        def got(answer: str) -> object:
            return claims(json.loads(answer)["access_token"])["sub"]

        # A program: what is in brackets is left out.
        making, (asking,) = command_blocks(SECTIONS["Five minutes"])
        (tmp_path / "TOKEN-FILE").write_text(outside.token(world.url, "s-1") + "\n")
        given = {"URL": outside.url, "SUBJECT": "s-1", " [--claim NAME=VALUE]": ""}
        *_, tried = [typed(line, given) for line in making]
        assert tried.startswith("yes: org.account.train takes the token by ")
        assert got(typed(asking, {})) == "role:org.account.train"

        # A pod: its token is in a file here, and no cluster prints it.
        _, (policy,), (trying,) = command_blocks(SECTIONS["A Kubernetes service account"])
        typed(policy, {"https://oidc.cluster.example/id/AB12": outside.url, "UID": UID})
        pod = outside.service_account(world.url, "ml", "train", UID)
        tried = typed(re.sub(r"^kubectl create token [^|]*", f"echo {pod} ", trying), {})
        assert tried.startswith("yes: org.account.train takes the token by ")

        # A CI job: its system gives a token for the audience that is asked for.
        terminal(
            "hourmark role new org.account.deploy && hourmark role policy new org.account.deploy 'app:*@*'"
        )
        ((policy,),) = command_blocks(SECTIONS["A CI job"])
        typed(policy, {"https://token.actions.githubusercontent.com": outside.url})
        token = outside.token(world.url, REPOSITORY, repository_id="74")
        outside.documents[f"/token?api=1&audience={world.url}"] = json.dumps({"value": token}).encode()
        terminal(f"ACTIONS_ID_TOKEN_REQUEST_TOKEN=t ACTIONS_ID_TOKEN_REQUEST_URL='{outside.url}/token?api=1'")
        (workflow,) = fenced_blocks(SECTIONS["A CI job"], "yaml")
        assert got(typed(yaml.safe_load(workflow)["steps"][0]["run"], {})) == "role:org.account.deploy"

        # Another Hourmark.
        ((policy,),) = command_blocks(SECTIONS["Another Hourmark"])
        typed(
            policy.replace("org.account.partner", "org.account.deploy"),
            {"https://other.example": outside.url},
        )
