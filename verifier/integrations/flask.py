"""Flask: `Tokens(app, verifier)` lets nobody in without a good token, `requires` asks what the token allows.

The token is `g.token`. A view that knows more, such as the labels of what was asked for, says
`g.token.require(…)`: InsufficientScope becomes the answer 403, and InvalidLabel 400.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from typing import ParamSpec, TypeVar

from flask import Flask, Response, current_app, g, request

from verifier.authentication import ANSWERED, Answered, Authentication, Requirement, refusal
from verifier.role_keys import RoleKeys
from verifier.verify import Verifier

P = ParamSpec("P")
R = TypeVar("R")


class Tokens:
    """Behind it every request has a token, but for those to `public` paths."""

    def __init__(
        self,
        app: Flask,
        verifier: Verifier,
        *,
        role_keys: RoleKeys | None = None,
        public: Collection[str] = (),
    ) -> None:
        """role_keys: accepts role keys and API tokens too, as Bearer and as Basic.
        public: whole paths, such as "/livez". There a request may come without a token, and has none.
        """
        self._authentication = Authentication(verifier, role_keys)
        self._public = frozenset(public)
        app.before_request(self._authenticate)
        for error in ANSWERED:
            app.register_error_handler(error, answer)

    def _authenticate(self) -> None:
        header = request.headers.get("Authorization")
        g.token = None if request.path in self._public else self._authentication.token(header)


def requires(action: str, resource: str = "*") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """For a view.

    action: "noun:verb", such as "data:get".
    resource: `{name}` in it is that parameter of the path; "*" is all resources together.

    Raises ValueError for what no token could allow.
    """
    requirement = Requirement(action, resource)

    def protect(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def protected(*arguments: P.args, **parameters: P.kwargs) -> R:
            if "token" not in g:
                raise RuntimeError("no Tokens stand before this view: Tokens(app, verifier)")
            requirement.check(g.token, request.view_args or {})
            result: R = current_app.ensure_sync(view)(*arguments, **parameters)
            return result

        return protected

    return protect


def answer(error: Answered) -> Response:
    """In place of what was asked for."""
    refused = refusal(error)
    body, headers = refused.problem()
    return Response(body, refused.status, headers)
