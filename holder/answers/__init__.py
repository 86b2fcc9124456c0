"""What the issuer answers, as values: one file a noun. Times are RFC 3339 text, as they came."""

from __future__ import annotations

from dataclasses import fields

from holder.answers.apps import App, DeletedApp, RegisteredApp
from holder.answers.consents import Consent, WithdrawnConsent
from holder.answers.issued import DeviceAuthorization, Granted, IssuedToken, Me
from holder.answers.jobs import Job, NewJob
from holder.answers.roles import (
    DeletedPolicy,
    DeletedRole,
    DeletedRoleKey,
    ListedRoleKey,
    NewRoleKey,
    Policy,
    Role,
)
from holder.answers.sign_ins import SignedOut, SignIn
from holder.answers.tokens import ApiToken, ApiTokenWithSecret, Preset
from holder.answers.trust import (
    DeletedTrustPolicy,
    TrustCheck,
    TrustFinding,
    TrustFindings,
    TrustPolicy,
    TrustVerdict,
)
from holder.answers.users import DeletedUser, Invitation, Membership, TakenRole, User

__all__ = [
    "ApiToken",
    "ApiTokenWithSecret",
    "App",
    "Consent",
    "DeletedApp",
    "DeletedPolicy",
    "DeletedRole",
    "DeletedRoleKey",
    "DeletedTrustPolicy",
    "DeletedUser",
    "DeviceAuthorization",
    "Granted",
    "Invitation",
    "IssuedToken",
    "Job",
    "ListedRoleKey",
    "Me",
    "Membership",
    "NewJob",
    "NewRoleKey",
    "Policy",
    "Preset",
    "RegisteredApp",
    "Role",
    "SignIn",
    "SignedOut",
    "TakenRole",
    "TrustCheck",
    "TrustFinding",
    "TrustFindings",
    "TrustPolicy",
    "TrustVerdict",
    "User",
    "WithdrawnConsent",
    "names",
]


def names(kind: type[object]) -> list[str]:
    """The members of one of the classes above."""
    return [member.name for member in fields(kind)]  # type: ignore[arg-type]  # they are dataclasses
