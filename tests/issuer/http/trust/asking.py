"""Clusters and roles that trust them: how tests make policies, and ask for tokens."""

from __future__ import annotations

from typing import Any

import httpx

from tests.issuer.http.world import World, made
from tests.outside_issuer import OutsideIssuer

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
TYPE = "urn:ietf:params:oauth:token-type:"
UID = "2f5c1e0a-6a0e-4a57-9a5b-6a4b3e1e7b10"
POD = {"namespace": "ml", "serviceaccount": {"name": "train", "uid": UID}}
SUBJECT = "system:serviceaccount:ml:train"


def trust(world: World, role: str, **clauses: Any) -> dict[str, Any]:
    return dict(made(world.admin.post(f"/v1/roles/{role}/trust", json=clauses)))


def ask(world: World, role: str, token: str, /, **form: str) -> httpx.Response:
    """By the grant that is made for it."""
    data = {"grant_type": JWT_BEARER, "assertion": token, "role": role} | form
    return world.nobody.post("/v1/token", data={name: text for name, text in data.items() if text})


def exchange(world: World, role: str, token: str, /, **form: str) -> httpx.Response:
    """By token exchange."""
    data = {"subject_token": token, "subject_token_type": f"{TYPE}jwt", "role": role}
    data |= {"grant_type": EXCHANGE} | form
    return world.nobody.post("/v1/token", data={name: text for name, text in data.items() if text})


def got(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def tried(world: World, role: str, token: str) -> httpx.Response:
    return world.admin.post(f"/v1/roles/{role}/trust/test", json={"token": token})


def good(world: World, cluster: OutsideIssuer, **changes: Any) -> str:
    return cluster.service_account(world.url, "ml", "train", UID, **changes)
