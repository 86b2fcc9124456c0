"""Django REST framework: `TokenAuthentication` says who asks, `allows` asks what the token allows.

    authentication_classes = [TokenAuthentication]
    permission_classes = [allows("data:get", "{workspace}")]
    REST_FRAMEWORK = {"EXCEPTION_HANDLER": "verifier.integrations.djangorestframework.exception_handler"}

`request.auth` is the token. TokenAuthentication stands first among the classes of a view, for the first one
says how a 401 is challenged. The settings are Django's HOURMARK, as `verifier.integrations.django` has them;
TokenMiddleware is not needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from rest_framework import views
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from verifier.authentication import ANSWERED, Answered, Refused, Requirement, refusal
from verifier.bearer import RETRY_SECONDS, challenge
from verifier.claims import Token
from verifier.integrations import django

_authentication = cache(django.authentication)


@dataclass(frozen=True)
class Principal:
    """`request.user`: who the token is of."""

    token: Token
    is_authenticated = True
    is_anonymous = False

    @property
    def username(self) -> str:
        return self.token.subject


class TokenAuthentication(BaseAuthentication):  # type: ignore[misc]  # it has no types
    def authenticate(self, request: Request) -> tuple[Principal, Token] | None:
        """None without a credential: then the view's permissions decide."""
        try:
            token = _authentication().token(request.headers.get("Authorization"))
        except Refused as error:
            if error.error is None:
                return None
            request.refused = error
            raise _denied(error) from None
        return Principal(token), token

    def authenticate_header(self, request: Request) -> str:
        refused: Refused | None = getattr(request, "refused", None)
        return challenge(refused.error if refused else None)[1] or ""


def allows(action: str, resource: str = "*") -> type[BasePermission]:
    """A permission class: whether the token allows `action` on `resource`.

    action: "noun:verb", such as "data:get".
    resource: `{name}` in it is that parameter of the path; "*" is all resources together.

    Raises ValueError for what no token could allow.
    """
    requirement = Requirement(action, resource)

    class TokenAllows(BasePermission):  # type: ignore[misc]
        def has_permission(self, request: Request, view: APIView) -> bool:
            try:
                requirement.check(request.auth if isinstance(request.auth, Token) else None, view.kwargs)
            except Refused as error:
                raise _denied(error) from None
            return True

    return TokenAllows


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """As the framework's own; what a view finds insufficient in `request.auth` is 403, a wrong label 400."""
    known = _denied(error) if isinstance(error, ANSWERED) else error
    return views.exception_handler(known, context)


def _denied(error: Answered) -> APIException:
    refused = refusal(error)
    if isinstance(error, Refused) and error.error is None:
        return NotAuthenticated(refused.detail)
    if refused.status == 401:
        return AuthenticationFailed(refused.detail)
    denied = APIException(refused.detail, refused.code)
    denied.status_code = refused.status
    if refused.status == 503:
        denied.wait = RETRY_SECONDS
    denied.auth_header = refused.headers.get("WWW-Authenticate")
    return denied
