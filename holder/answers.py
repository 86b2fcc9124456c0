"""What the issuer answers, as values. Times are RFC 3339 text, as they came."""

from __future__ import annotations

from dataclasses import dataclass, field, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A token just issued (RFC 6749 section 5.1)."""

    access_token: str = field(repr=False)
    token_type: str
    expires_in: int
    """Seconds."""
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted(IssuedToken):
    """A token of a user's sign-in, and what gives the next one."""

    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAuthorization:
    """What a device shows and asks with (RFC 8628 section 3.2)."""

    device_code: str = field(repr=False)
    user_code: str
    verification_uri: str
    verification_uri_complete: str | None = None
    expires_in: int
    interval: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Who a credential is."""

    principal: str
    roles: list[str]
    scope: str
    client_id: str
    audience: list[str] | None = None
    expires_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role."""

    name: str
    created_at: str
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedRole:
    """A role that is gone, and the access ids of its keys, which went with it."""

    deleted: str
    keys: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRoleKey:
    """A role key with its secret: the only time that it is shown."""

    access: str
    secret: str = field(repr=False)
    role: str
    name: str | None = None
    scope: str | None = None
    created_at: str
    created_by: str
    expires_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRoleKey:
    """A role key as its role's list shows it."""

    access: str
    role: str
    name: str | None = None
    scope: str | None = None
    created_at: str
    created_by: str
    expires_at: str | None = None
    last_exchanged_at: str | None = None
    """Offline use cannot be seen: this is when a token was last got with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedRoleKey:
    """A role key that is gone, and the access ids of those that were made with it, which live on."""

    deleted: str
    made: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What an API token can be made for."""

    name: str
    title: str
    description: str
    permissions: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A role key made for a purpose."""

    id: str
    name: str
    presets: list[str]
    label_selectors: list[str]
    prefix: str
    created_by: str
    last_exchanged_at: str | None = None
    expires_at: str | None = None
    state: str
    """`active` or `expired`."""
    owner: str
    description: str = ""
    resources: list[str]
    audiences: list[str]
    scope: str
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiTokenWithSecret(ApiToken):
    """An API token whose secret is new: the only time that it is shown."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One permission of a role."""

    id: int
    role: str
    permission: str
    created_at: str
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedPolicy:
    """The id of a policy that is gone."""

    deleted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustFinding:
    """What is wrong with a trust policy."""

    level: str
    """`danger`, which is never made, or `doubt`."""
    clause: str
    why: str
    instead: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """Which tokens of an outside issuer become a role."""

    id: str
    role: str
    issuer: str | None = None
    issuer_pattern: str | None = None
    subject: str | None = None
    subject_pattern: str | None = None
    audience: str
    claims: dict[str, str]
    claim_patterns: dict[str, str]
    description: str = ""
    created_at: str
    created_by: str
    findings: list[TrustFinding]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedTrustPolicy:
    """The id of a trust policy that is gone."""

    deleted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustCheck:
    """What became of one clause of a policy."""

    policy: str
    clause: str
    outcome: str
    """`holds`, `fails` or `unchecked`."""
    expected: str = ""
    found: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustVerdict:
    """Whether a role takes a token, and by which policy."""

    role: str
    accepted: bool
    by: str | None = None
    checks: list[TrustCheck]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustFindings:
    """What is wrong with clauses that are no policy yet."""

    role: str
    findings: list[TrustFinding]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person, with the roles that the person holds."""

    name: str
    display_name: str = ""
    email: str | None = None
    state: str
    """`active` or `disabled`."""
    roles: list[str]
    created_at: str
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedUser:
    """A user who is gone, and the access ids of the keys that went along."""

    deleted: str
    keys: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A link by which a user sets up how to sign in, once."""

    user: str
    url: str = field(repr=False)
    expires_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A role that a user holds."""

    user: str
    role: str
    created_at: str
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenRole:
    """A role that a user does not hold any more."""

    user: str
    taken: str


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What is registered of an app."""

    name: str
    client_id: str
    owner: str
    role: str | None = None
    description: str = ""
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    host: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    audience: str | None = None
    scope: str
    token_endpoint_auth_method: str
    id_token_signed_response_alg: str | None = None
    created_at: str
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredApp(App):
    """An app that has just got its secret, if it has one."""

    client_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedApp:
    """An app that is gone."""

    deleted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a user lets an app have."""

    id: int
    user: str
    app: str
    client_id: str
    owner: str
    scope: str
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawnConsent:
    """The id of a consent that is gone."""

    withdrawn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """Where a user is signed in."""

    id: int
    user: str
    name: str
    """What people call the client, or the browser."""
    client_id: str
    address: str
    is_here: bool
    """Whether it is what was asked with."""
    created_at: str
    last_used_at: str | None = None
    expires_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOut:
    """A user who is signed out: at one place, which has an id, or everywhere."""

    signed_out: str
    sign_in: int | None = None


def names(kind: type[object]) -> list[str]:
    """The members of one of the classes above."""
    return [member.name for member in fields(kind)]  # type: ignore[arg-type]  # they are dataclasses


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A program that runs as a role for a while."""

    id: str
    role: str
    name: str
    labels: dict[str, str]
    state: str
    created_at: str
    created_by: str
    ends_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob(Job):
    """A job just begun, with its ticket."""

    ticket: str = field(repr=False)
