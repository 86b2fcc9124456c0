"""`hourmark completion`: the script for a shell, and the answers that it gets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.holder.conftest import Hourmark
from tests.holder.issuer_double import IssuerDouble

ANSWER = """
import sys
from holder.cli import main
try:
    main()
finally:
    heavy = {'httpx', 'verifier', 'keys', 'cryptography', 'yaml', 'rich'} & set(sys.modules)
    print(*heavy, file=sys.stderr)
"""


def completed(line: str, environ: dict[str, str]) -> list[str]:
    """What TAB at the end of the line offers in bash."""
    words = line.split(" ")
    asked = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [sys.executable, "-c", ANSWER],
        env={**environ, **asked, "_HOURMARK_COMPLETE": "complete_bash"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "\n", "something heavy was loaded"
    return done.stdout.split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_each_shell(hourmark: Hourmark, shell: str) -> None:
    done = hourmark("completion", shell, SHELL="/bin/sh")
    assert (done.code, done.err, "_HOURMARK_COMPLETE" in done.out) == (0, "", True)
    assert hourmark("completion", SHELL=f"/usr/local/bin/{shell}") == done
    if shell == "zsh":
        assert done.out.startswith("#compdef hourmark\n")


@pytest.mark.parametrize("shell", ["", "/bin/dash"])
def test_which_shell(hourmark: Hourmark, shell: str) -> None:
    done = hourmark("completion", SHELL=shell)
    assert (done.code, done.out, "  try: hourmark completion bash" in done.err) == (2, "", True)
    assert hourmark("completion", "tcsh").code == 2


def test_answers(hourmark: Hourmark, issuer: IssuerDouble, home: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(home / "config")}
    assert completed("hourmark context use ", environ) == []
    key = issuer.add_key().reveal()
    for name in ("live", "staging", "local"):
        assert hourmark("login", "--url", issuer.url, "--api-token", key, "--profile", name).code == 0
    seen = len(issuer.requests)
    assert completed("hourmark cont", environ) == ["context"]
    assert completed("hourmark role policy t", environ) == ["test"]
    assert completed("hourmark context use l", environ) == ["live", "local"]
    assert completed("hourmark --profile s", environ) == ["staging"]
    assert completed("hourmark whoami -o ", environ) == ["table", "json", "yaml", "text"]
    assert completed("hourmark role key list r --st", environ) == ["--state"]
    assert completed("hourmark token list --state ", environ) == ["active", "expired"]
    assert completed("hourmark nothing-like-it ", environ) == completed("hourmark ", environ)
    assert len(issuer.requests) == seen
