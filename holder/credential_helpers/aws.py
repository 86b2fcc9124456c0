"""AWS's `credential_process`: a token becomes keys of a role for a while, where somebody speaks as STS does.

AssumeRoleWithWebIdentity needs no keys of AWS: the token is all that proves who asks.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import httpx

from holder import issuer_url
from holder.errors import HolderError, NotPermitted, Unreachable, UsageError

_VERSION = "2011-06-15"
_TIMEOUT = httpx.Timeout(15, connect=5)
_MAX_BYTES = 64 * 1024
_ROLE_ARN = re.compile(r"arn:[a-z0-9-]+:iam::[^:\s]*:role/\S{1,512}", re.ASCII)
_KEYS = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")


def check(endpoint: str, role_arn: str) -> None:
    """Raises UsageError, before anything is asked."""
    if not issuer_url.is_safe(endpoint):
        raise UsageError(
            "--sts-endpoint is no URL that a token may go to",
            "it is https, or http on this host",
            "--sts-endpoint https://sts.eu-central-1.amazonaws.com",
        )
    if _ROLE_ARN.fullmatch(role_arn) is None:
        raise UsageError(
            "--role-arn is none", "it names a role", "--role-arn arn:aws:iam::123456789012:role/reader"
        )


def assume_role(endpoint: str, role_arn: str, session_name: str, seconds: int, raw: str) -> dict[str, object]:
    """What `credential_process` prints. Raises HolderError."""
    form = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": _VERSION,
        "RoleArn": role_arn,
        "RoleSessionName": session_name,
        "DurationSeconds": str(seconds),
        "WebIdentityToken": raw,
    }
    try:
        answer = httpx.post(endpoint, data=form, timeout=_TIMEOUT, follow_redirects=False)
    except httpx.HTTPError as error:
        raise Unreachable(
            f"{endpoint} did not answer", str(error), "check --sts-endpoint", code="unreachable"
        ) from None
    found = _texts(answer.content)
    if answer.status_code != httpx.codes.OK:
        kind = NotPermitted if answer.status_code == httpx.codes.FORBIDDEN else HolderError
        raise kind(
            f"{endpoint} gives no keys for {role_arn}",
            f"{found.get('Code', answer.status_code)}: {found.get('Message', 'it does not say why')}"[:600],
            "check the role's trust policy, and for whom the token is: --resource",
            code="role_not_assumed",
        )
    if not all(found.get(name) for name in _KEYS):
        raise Unreachable(
            f"At {endpoint} something else than STS answered",
            "its answer has no keys",
            "check --sts-endpoint",
            code="not_an_sts",
        )
    return {"Version": 1, **{name: found[name] for name in _KEYS}}


def _texts(document: bytes) -> dict[str, str]:
    """The texts of an answer by the names of their elements, whichever namespace they are in."""
    # A document type could make a small answer a large one, and nobody's answer has one.
    if len(document) > _MAX_BYTES or b"<!DOCTYPE" in document:
        return {}
    try:
        root = ET.fromstring(document)  # noqa: S314 - see above
    except ET.ParseError:
        return {}
    return {each.tag.rpartition("}")[2]: (each.text or "").strip() for each in root.iter()}
