"""In Flask."""

from __future__ import annotations

from flask import Flask, g

from tests.verifier.integrations.world import LABELS, PUBLIC, submitted, told
from verifier import Verifier
from verifier.integrations.flask import Tokens, requires
from verifier.role_keys import RoleKeys


def service(verifier: Verifier, role_keys: RoleKeys | None = None) -> Flask:
    app = Flask(__name__)
    Tokens(app, verifier, role_keys=role_keys, public=PUBLIC)

    @app.get("/livez")
    @app.get("/who")
    def who() -> dict[str, str | None]:
        return told(g.token)

    @app.get("/all")
    @requires("data:get")
    def every() -> dict[str, str | None]:
        return told(g.token)

    @app.get("/data/<workspace>")
    @requires("data:get", "{workspace}")
    def data(workspace: str) -> dict[str, str | None]:
        assert workspace
        return told(g.token)

    @app.get("/apps/<name>")
    def app_(name: str) -> dict[str, str | None]:
        g.token.require("app:query", name, LABELS)
        return told(g.token)

    @app.get("/labels/<name>")
    def labels(name: str) -> dict[str, str]:
        return submitted(name)

    return app
