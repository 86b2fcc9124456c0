"""Somebody with a command line, and a browser without a screen in which they are signed in."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.browsers import Browser
from tests.running_issuer import BIN, RunningIssuer, clean_environment


@dataclass
class Person:
    """Somebody with a command line, and a browser in which they are signed in."""

    issuer: RunningIssuer
    home: Path
    browser: Browser = field(repr=False)
    more: dict[str, str] = field(default_factory=dict)
    """Variables in place of the usual ones."""

    @property
    def environment(self) -> dict[str, str]:
        usual = {
            "XDG_CONFIG_HOME": str(self.home),
            "HOURMARK_URL": self.issuer.url,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "BROWSER": "true",
        }
        return clean_environment(**usual | self.more)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BIN / "hourmark", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=60,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [BIN / "hourmark", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def sign_in_here(self) -> str:
        """`login --web`; returns what it said."""
        process = self.start("login", "--web")
        said = line_with(process, "/authorize?")
        back = self.allow(said.strip().removeprefix(self.issuer.url))
        assert "signed in" in httpx.get(back).text
        _, rest = process.communicate(timeout=30)
        assert process.returncode == 0, rest
        return rest

    def allow(self, target: str) -> str:
        page = self.browser.get(target)
        assert "Hourmark command line" in page.text
        return self.browser.send("/consent", {"decision": "allow"}).headers["location"]


def line_with(process: subprocess.Popen[str], text: str) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return line
    raise AssertionError(f"it never said {text!r}")
