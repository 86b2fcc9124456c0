"""In Django, whose settings are the process': views of both kinds, and those of Django REST framework."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from tests.verifier.integrations import world

verifier = world.verifier()
REST = (
    *("/rest/who", "/rest/all", "/rest/data/samples", "/rest/data/other", "/rest/apps/mine"),
    *("/rest/labels/id", "/rest/labels/owner", "/rest/labels/two words"),
)
"""Django REST framework asks who they are for by itself."""
settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="not used here",
    INSTALLED_APPS=["rest_framework"],
    MIDDLEWARE=["verifier.integrations.django.TokenMiddleware"],
    HOURMARK={"verifier": f"{__name__}.verifier", "public": [*world.PUBLIC, *REST]},
    REST_FRAMEWORK={
        "UNAUTHENTICATED_USER": None,
        "EXCEPTION_HANDLER": "verifier.integrations.djangorestframework.exception_handler",
    },
)

import django  # noqa: E402 - its parts read the settings when they are imported
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.permissions import IsAuthenticated  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from verifier.integrations.django import requires  # noqa: E402
from verifier.integrations.djangorestframework import TokenAuthentication, allows  # noqa: E402

django.setup()


def who(request: HttpRequest) -> JsonResponse:
    return JsonResponse(world.told(request.token))


@requires("data:get")
def every(request: HttpRequest) -> JsonResponse:
    return JsonResponse(world.told(request.token))


@requires("data:get", "{workspace}")
async def data(request: HttpRequest, workspace: str) -> JsonResponse:
    assert workspace
    return JsonResponse(world.told(request.token))


def app_(request: HttpRequest, name: str) -> JsonResponse:
    request.token.require("app:query", name, world.LABELS)
    return JsonResponse(world.told(request.token))


def labels(request: HttpRequest, name: str) -> JsonResponse:
    assert request.token
    return JsonResponse(world.submitted(name))


class Protected(APIView):  # type: ignore[misc]  # it has no types
    authentication_classes = (TokenAuthentication,)
    permission_classes: tuple[Any, ...] = (IsAuthenticated,)

    def get(self, request: Request, **_: str) -> Response:
        return Response({"subject": request.user.username})


class Every(Protected):
    permission_classes = (allows("data:get"),)


class Data(Protected):
    permission_classes = (allows("data:get", "{workspace}"),)


class App(Protected):
    def get(self, request: Request, **parameters: str) -> Response:
        request.auth.require("app:query", parameters["name"], world.LABELS)
        return super().get(request)


class Labels(Protected):
    def get(self, request: Request, **parameters: str) -> Response:
        assert request.auth
        return Response(world.submitted(parameters["name"]))


urlpatterns = [
    path("rest/who", Protected.as_view()),
    path("rest/all", Every.as_view()),
    path("rest/data/<workspace>", Data.as_view()),
    path("rest/apps/<name>", App.as_view()),
    path("rest/labels/<name>", Labels.as_view()),
    path("livez", who),
    path("who", who),
    path("all", every),
    path("data/<workspace>", data),
    path("apps/<name>", app_),
    path("labels/<name>", labels),
]
