"""The console as it is served: by https, behind nginx. What its cookies are like there, and without TLS."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Response, expect

from issuer.browser import BROWSER_COOKIE, SESSION_COOKIE
from tests.browser.conftest import NewPage
from tests.browser.test_people import set_up
from tests.certificates import self_signed
from tests.issuer.http.world import World, open_world, until
from tests.running_issuer import free_port

_NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {pem};
        ssl_certificate_key {pem};
        location / {{
            proxy_pass http://127.0.0.1:{issuer};
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
        }}
    }}
}}
"""


@contextmanager
def served(folder: Path, issuer: int) -> Iterator[int]:
    """nginx in front of the issuer at this port; gives its own. Skips where there is none."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("no nginx: install Debian's package nginx")
    port, configuration, log = free_port(), folder / "nginx.conf", folder / "error.log"
    user = "user root;" if os.geteuid() == 0 else ""
    configuration.write_text(
        _NGINX.format(
            folder=folder, pem=self_signed(folder, "localhost"), user=user, port=port, issuer=issuer
        )
    )
    process = subprocess.Popen([program, "-c", configuration, "-e", log, "-p", folder])

    def listens() -> bool:
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", port)) == 0

    try:
        until(lambda: listens() or process.poll() is not None)
        yield port
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An issuer whose people come by TLS, through nginx."""
    folder, issuer = tmp_path_factory.mktemp("tls"), free_port()
    with served(folder, issuer) as port:
        settings = {
            "HOURMARKD_PORT": str(issuer),
            "HOURMARKD_ISSUER": f"https://localhost:{port}",
            "HOURMARKD_TRUSTED_PROXIES": "127.0.0.1",
        }
        with open_world(folder, **settings) as opened:
            yield opened


def test_a_session_over_tls_is_for_this_host_alone_and_no_script_sees_it(
    world: World, new_page: NewPage, link: str
) -> None:
    page, answers = new_page(ignore_https_errors=True), list[Response]()
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - playwright marks it
    assert link.startswith(f"{world.url}/setup")
    set_up(page, link)
    said = [line for answer in answers for line in answer.header_values("set-cookie")]
    kept = {cookie["name"]: cookie for cookie in page.context.cookies(world.url)}
    for name in (BROWSER_COOKIE, SESSION_COOKIE):
        assert name.startswith("__Host-")
        (line,) = (each for each in said if each.startswith(f"{name}="))
        _, *attributes = (part.strip().lower() for part in line.split(";"))
        attributes = [each for each in attributes if not each.startswith("max-age=")]
        assert sorted(attributes) == ["httponly", "path=/", "samesite=lax", "secure"], "and no Domain"
        cookie = kept[name]
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")
        assert cookie["domain"] == "localhost", "no dot: for no host below"
    assert page.evaluate("document.cookie") == ""
    page.goto("/session")
    expect(page.get_by_text("from 127.0.0.1")).to_be_visible()
    page.get_by_role("banner").get_by_role("link", name="Sign out").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    assert SESSION_COOKIE not in {cookie["name"] for cookie in page.context.cookies(world.url)}


def test_without_tls_the_same_cookies_are_kept_at_loopback(world: World, new_page: NewPage) -> None:
    """Browsers take loopback for as safe as TLS (W3C, Secure Contexts, section 3.1)."""
    page = new_page()
    here = f"http://localhost:{world.issuer.settings['HOURMARKD_PORT']}"
    page.goto(f"{here}/login")
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["secure"], cookie["httpOnly"]) == (BROWSER_COOKIE, True, True)
