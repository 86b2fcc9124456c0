"""Every integration, with the real framework: who is let in, and what is answered to everybody else."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest
from flask import Flask
from starlette.applications import Starlette
from starlette.routing import Route

from keys import RoleKey
from tests.verifier import forge
from tests.verifier.integrations import django_service, fastapi_service, flask_service, starlette_service
from tests.verifier.integrations.world import REVOKED, Service, token, verifier
from tests.verifier.issuer_double import TOKEN, IssuerDouble
from verifier import InsufficientScope, Trust
from verifier.integrations.flask import requires as flask_requires
from verifier.integrations.starlette import TokenMiddleware
from verifier.role_keys import RoleKeys

_URL = "http://service.test"


def wsgi(app: Callable[..., Any], folder: str = "") -> Service:
    def ask(path: str, authorization: str | None) -> httpx.Response:
        with httpx.Client(transport=httpx.WSGITransport(app)) as client:
            return client.get(f"{_URL}{folder}{path}", headers=_headers(authorization))

    return ask


def asgi(app: Any) -> Service:
    def ask(path: str, authorization: str | None) -> httpx.Response:
        async def asked() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
                return await client.get(f"{_URL}{path}", headers=_headers(authorization))

        return asyncio.run(asked())

    return ask


def _headers(authorization: str | None) -> dict[str, str]:
    return {} if authorization is None else {"Authorization": authorization}


REST = "django rest framework"
"""Its views say themselves what they need."""
SERVICES = {
    "starlette": lambda: asgi(starlette_service.service(verifier())),
    "fastapi": lambda: asgi(fastapi_service.service(verifier())),
    "flask": lambda: wsgi(flask_service.service(verifier())),
    "django": lambda: wsgi(get_wsgi_application()),
    "django, asynchronous": lambda: asgi(get_asgi_application()),
    REST: lambda: wsgi(get_wsgi_application(), "/rest"),
}


@pytest.fixture(params=SERVICES)
def ask(request: pytest.FixtureRequest) -> Service:
    assert django_service.urlpatterns, "it has made the settings"
    return SERVICES[request.param]()


def bearer(raw: str) -> str:
    return f"Bearer {raw}"


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/who", ""),
        ("/all", "data:get@*"),
        ("/data/samples", "data:get@samples"),
        ("/data/samples", "data:*@sam*"),
        ("/apps/mine", "app:query@*[group=A]"),
    ],
)
def test_who_may_is_let_in(ask: Service, path: str, scope: str) -> None:
    answer = ask(path, bearer(token(scope)))
    assert (answer.status_code, answer.json()) == (200, {"subject": "role:org.account.ci"})


@pytest.mark.parametrize("header", [None, "", "Basic dXNlcjpwYXNz", "Bearer ", "DPoP a.b.c"])
@pytest.mark.parametrize("path", ["/who", "/data/samples"])
def test_without_a_credential_no_error_is_named(ask: Service, path: str, header: str | None) -> None:
    answer = ask(path, header)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"iat": 1, "exp": 2}, "the token has expired: get a new one"),
        ({"aud": "https://other.example"}, "the token is for another service"),
        (
            {"status": {"status_list": {"idx": REVOKED, "uri": forge.LIST_URI}}},
            "the credential behind the token was revoked",
        ),
    ],
)
@pytest.mark.parametrize("path", ["/who", "/data/samples"])
def test_a_bad_token_is_told_why(ask: Service, path: str, changes: dict[str, Any], says: str) -> None:
    answer = ask(path, bearer(token("data:get@*", **changes)))
    challenge = f'Bearer error="invalid_token", error_description="{says}"'
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, challenge)
    assert answer.json()["detail"] == says


@pytest.mark.parametrize("header", ["Bearer hmk_0123456789abcdef:x", "Bearer a b", "Bearer a.b.c, Bearer d"])
def test_what_is_no_token_is_a_bad_one(ask: Service, header: str) -> None:
    answer = ask("/who", header)
    assert (answer.status_code, 'error="invalid_token"' in answer.headers["www-authenticate"]) == (401, True)


@pytest.mark.parametrize(
    ("path", "scope", "missing"),
    [
        ("/all", "data:get@samples", "data:get@*"),
        ("/data/other", "data:get@samples data:put@*", "data:get@other"),
        ("/data/samples", "", "data:get@samples"),
        ("/apps/mine", "app:query@*[group=B]", "app:query@mine[group=A]"),
    ],
)
def test_too_little_scope_is_told_what_is_missing(ask: Service, path: str, scope: str, missing: str) -> None:
    answer = ask(path, bearer(token(scope)))
    challenge = f'Bearer error="insufficient_scope", scope="{missing}"'
    assert (answer.status_code, answer.headers["www-authenticate"]) == (403, challenge)
    assert answer.json()["detail"] == f"the token does not allow {missing}"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/labels/owner", "'hourmark/owner' is reserved: the platform sets what begins so"),
        ("/labels/two words", "'hourmark/two words': names and values are letters, digits and -._/:"),
    ],
    ids=["reserved", "malformed"],
)
def test_a_label_that_nobody_can_submit_is_told_why(ask: Service, path: str, says: str) -> None:
    answer = ask(path, bearer(token("app:create@*")))
    assert (answer.status_code, answer.json()["detail"]) == (400, says)
    assert "www-authenticate" not in answer.headers
    assert ask("/labels/id", bearer(token("app:create@*"))).json()["hourmark/id"] == "app_1"


@pytest.mark.parametrize("missing", ["keys", "lists"])
def test_what_cannot_be_judged_is_worth_another_try(
    ask: Service, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Trust(forge.ISSUER)
    monkeypatch.setattr(verifier().trust, missing, getattr(nothing, missing))
    answer = ask("/who", bearer(token()))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize("ask", [name for name in SERVICES if name != REST], indirect=True)
def test_public_paths_need_no_token(ask: Service) -> None:
    for header in (None, bearer("nonsense"), bearer(token())):
        answer = ask("/livez", header)
        assert (answer.status_code, answer.json()) == (200, {"subject": None})


def test_nobody_learns_which_paths_there_are(ask: Service) -> None:
    assert ask("/none", None).status_code == 401


def test_openapi_says_where_a_token_is_needed() -> None:
    document = asgi(fastapi_service.service(verifier()))("/openapi.json", None).json()
    scheme = document["components"]["securitySchemes"]["hourmark"]
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")
    assert document["paths"]["/data/{workspace}"]["get"]["security"] == [{"hourmark": []}]
    assert "security" not in document["paths"]["/livez"]["get"]
    assert "_" not in json.dumps(document["paths"]["/all"]["get"].get("parameters", []))


@pytest.mark.parametrize(
    ("service", "transport"), [(starlette_service, asgi), (fastapi_service, asgi), (flask_service, wsgi)]
)
def test_role_keys_where_they_are_accepted(service: Any, transport: Callable[[Any], Service]) -> None:
    with IssuerDouble() as issuer, issuer.verifier() as trusting, RoleKeys(trusting) as role_keys:
        _are_accepted(issuer, transport(service.service(trusting, role_keys)))


@pytest.mark.parametrize(
    "application", [lambda: wsgi(get_wsgi_application()), lambda: asgi(get_asgi_application())]
)
def test_role_keys_in_django(application: Callable[[], Service], monkeypatch: pytest.MonkeyPatch) -> None:
    with IssuerDouble() as issuer, issuer.verifier() as trusting, RoleKeys(trusting) as role_keys:
        monkeypatch.setattr(django_service, "verifier", trusting)
        monkeypatch.setattr(django_service, "role_keys", role_keys, raising=False)
        named = {"role_keys": f"{django_service.__name__}.role_keys"}
        monkeypatch.setattr(settings, "HOURMARK", settings.HOURMARK | named)
        _are_accepted(issuer, application())


def _are_accepted(issuer: IssuerDouble, ask: Service) -> None:
    key = RoleKey.generate()
    issuer.role_keys[key.reveal()] = {"scope": "data:get@samples"}
    basic = base64.b64encode(key.reveal().encode()).decode()
    for header in (bearer(key.reveal()), f"Basic {basic}", bearer(issuer.token(scope="data:get@samples"))):
        assert ask("/data/samples", header).json() == {"subject": "role:org.account.ci"}
        assert ask("/data/other", header).status_code == 403
    wrong = ask("/who", bearer(RoleKey.generate(key.access).reveal()))
    assert (wrong.status_code, wrong.json()["reason"]) == (401, "revoked")
    assert ask("/who", None).headers["www-authenticate"] == "Bearer"
    issuer.answers[TOKEN] = lambda request: request.send(b"", 502)
    away = ask("/who", bearer(RoleKey.generate().reveal()))
    assert (away.status_code, away.headers["retry-after"]) == (503, "1")


def test_without_its_middleware_a_route_is_closed() -> None:
    """A service that forgot it gets an error of its own: nobody is let in, and nobody is told to sign in."""
    starlette = Starlette(routes=[Route("/all", starlette_service.every)])
    flask = Flask("forgetful", static_folder=None)
    flask.testing = True
    flask.add_url_rule("/all", view_func=flask_requires("data:get")(lambda: "no"))
    for ask in (asgi(starlette), wsgi(flask)):
        with pytest.raises(RuntimeError, match="before this"):
            ask("/all", bearer(token("data:get@*")))
    with pytest.raises(RuntimeError, match="add it to MIDDLEWARE"):
        django_service.every(HttpRequest())


def test_what_has_begun_is_not_answered_again() -> None:
    async def streams(scope: Any, _: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        scope["state"]["token"].require("data:put", "x")

    with pytest.raises(InsufficientScope):
        asgi(TokenMiddleware(streams, verifier()))("/", bearer(token()))


@pytest.mark.parametrize(("raw", "status"), [("nonsense", 401), (None, 401)])
def test_a_web_socket_is_refused_before_it_opens(raw: str | None, status: int) -> None:
    sent: list[dict[str, Any]] = []

    async def opens() -> None:
        async def send(message: Any) -> None:
            sent.append(message)

        headers = [] if raw is None else [(b"authorization", b"Bearer " + raw.encode())]
        scope = {"type": "websocket", "path": "/", "headers": headers}
        await TokenMiddleware(_nothing, verifier())(scope, _nothing, send)

    asyncio.run(opens())
    assert (sent[0]["type"], sent[0]["status"]) == ("websocket.http.response.start", status)


def test_the_start_and_the_end_of_a_service_need_no_token() -> None:
    seen: list[str] = []

    async def app(scope: Any, *_: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(TokenMiddleware(app, verifier())({"type": "lifespan"}, _nothing, _nothing))
    assert seen == ["lifespan"]


async def _nothing(*_: Any) -> Any:
    raise AssertionError("nobody comes so far")
