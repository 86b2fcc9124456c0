"""Kubernetes' credential plugins: a JSON object that kubectl keeps until it says it ends."""

from __future__ import annotations

from datetime import UTC, datetime

from holder.answers import IssuedToken
from holder.errors import UsageError
from holder.fresh_token import Held
from verifier import strict_json

VARIABLE = "KUBERNETES_EXEC_INFO"
_GROUP = "client.authentication.k8s.io"
_VERSIONS = (f"{_GROUP}/v1", f"{_GROUP}/v1beta1")
"""Both have the same form where a token is all that there is."""


def version_of(info: str | None) -> str:
    """The version that kubectl speaks, as VARIABLE says; the newest without it. Raises UsageError."""
    if info is None:
        return _VERSIONS[0]
    try:
        named = strict_json.parse_object(info.encode()).get("apiVersion")
    except ValueError:
        raise UsageError(
            f"{VARIABLE} is not understood",
            "it is no JSON object as kubectl writes it",
            "leave it unset where kubectl does not run this",
        ) from None
    if named not in _VERSIONS:
        raise UsageError(
            f"{VARIABLE} is not understood",
            f"its apiVersion is none of {', '.join(_VERSIONS)}",
            f"write apiVersion: {_VERSIONS[0]} in the kubeconfig's exec",
        )
    return str(named)


def answer(version: str, issued: IssuedToken, now: float) -> dict[str, object]:
    """The credential. It ends for kubectl when it gets old: kubectl asks again at that moment, not before."""
    old_at = datetime.fromtimestamp(int(Held(issued, now).old_at), UTC)
    return {
        "apiVersion": version,
        "kind": "ExecCredential",
        "status": {
            "token": issued.access_token,
            "expirationTimestamp": old_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
    }
