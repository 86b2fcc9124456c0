"""The tables. Times are Unix seconds; secrets are hashes, keys are sealed."""

from issuer.store.tables.apps import (
    AppRow,
    AuthorizationCode,
    ClientAssertion,
    DeviceCode,
    RefreshToken,
    UserGrant,
    Visit,
    WrongUserCode,
)
from issuer.store.tables.jobs import JobRow
from issuer.store.tables.logs import AuditRow, Change
from issuer.store.tables.people import (
    Invitation,
    Membership,
    PasskeyRow,
    PolicyRow,
    Principal,
    UpstreamIdentity,
    UserAccount,
)
from issuer.store.tables.role_keys import ApiTokenRow, ExchangeCount, RoleKeyRow, Secret
from issuer.store.tables.sealed_keys import HashKey, SealedSigningKey
from issuer.store.tables.status import StatusIndex, StatusListVersion
from issuer.store.tables.trust_policies import TrustPolicyRow

__all__ = [
    "ApiTokenRow",
    "AppRow",
    "AuditRow",
    "AuthorizationCode",
    "Change",
    "ClientAssertion",
    "DeviceCode",
    "ExchangeCount",
    "HashKey",
    "Invitation",
    "JobRow",
    "Membership",
    "PasskeyRow",
    "PolicyRow",
    "Principal",
    "RefreshToken",
    "RoleKeyRow",
    "SealedSigningKey",
    "Secret",
    "StatusIndex",
    "StatusListVersion",
    "TrustPolicyRow",
    "UpstreamIdentity",
    "UserAccount",
    "UserGrant",
    "Visit",
    "WrongUserCode",
]
