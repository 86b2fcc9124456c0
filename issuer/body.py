"""Request bodies: bounded in size and time, and of the type that was asked for."""

from __future__ import annotations

import asyncio
from typing import TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from issuer.connection import WHOLE
from issuer.denials import Denial, wrong_field, wrong_fields
from verifier import strict_json

MAX_BYTES = 64 * 1024
MAX_FIELDS = 100
DEADLINE = 15.0
"""Seconds for the whole body to arrive."""
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"
# Whoever sent too much, or too slowly, is not read any further.
_CLOSE = {"Connection": "close"}

Model = TypeVar("Model", bound=BaseModel)


async def read_form(request: Request) -> dict[str, str]:
    """The form's fields. Raises Denial; a field that is there twice is refused (RFC 6749 section 3.2)."""
    return single(await read_pairs(request))


def single(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Parameters of which none may come twice, without those that have no value. Raises Denial."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Denial("invalid_request", "a parameter appears twice")
    # RFC 6749 section 3.1: a parameter without a value is as good as not sent.
    return {name: value for name, value in fields.items() if value}


async def read_pairs(request: Request) -> list[tuple[str, str]]:
    """The form's fields, each as often as it is there. Raises Denial."""
    body = await _read(request, _FORM)
    if b"%00" in body or b"\0" in body:
        # PostgreSQL takes none, not even to compare with it.
        raise Denial("invalid_request", "a parameter holds a NUL character")
    if body.count(b"&") >= MAX_FIELDS:
        raise Denial("invalid_request", f"a form has at most {MAX_FIELDS} fields")
    try:
        return parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
        )
    except ValueError as error:
        raise Denial("invalid_request", "the body is not a form of UTF-8 text") from error


async def read_json(request: Request, model: type[Model]) -> Model:
    """The body as `model`. Raises Denial, which names every field that is wrong."""
    body = await _read(request, _JSON)
    try:
        read = model.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise wrong_fields(error) from None
    try:
        # The validator takes the last of two members, where whoever looked before may have taken the first.
        whole = strict_json.parse_object(body or b"{}")
    except ValueError as error:
        raise wrong_field("body", str(error)) from None
    for name, value in whole.items():
        if _holds_nul(value):
            raise wrong_field(name, "holds a NUL character")
    return read


def _holds_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(map(_holds_nul, (*value.keys(), *value.values())))
    return isinstance(value, list) and any(map(_holds_nul, value))


async def _read(request: Request, media_type: str) -> bytes:
    sent = length = b""
    for name, value in request.scope["headers"]:
        if name == b"content-type":
            sent = value.partition(b";")[0].strip().lower()
        elif name == b"content-length":
            length = value
    if length.isdigit() and int(length) > MAX_BYTES:
        raise _too_large()
    if request.scope.get(WHOLE):
        body = await _receive(request)
    else:
        try:
            async with asyncio.timeout(DEADLINE):
                body = await _receive(request)
        except TimeoutError:
            raise Denial(
                "request_timeout", f"the body took longer than {DEADLINE:g} s", headers=_CLOSE
            ) from None
    if body and sent != media_type.encode():
        raise Denial("unsupported_media_type", f"send Content-Type: {media_type}")
    return body


async def _receive(request: Request) -> bytes:
    body = bytearray()
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise Denial("invalid_request", "the body was cut off")
        body += message.get("body", b"")
        if len(body) > MAX_BYTES:
            raise _too_large()
        if not message.get("more_body", False):
            return bytes(body)


def _too_large() -> Denial:
    return Denial("too_large", f"a body has at most {MAX_BYTES} bytes", headers=_CLOSE)
