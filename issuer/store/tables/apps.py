"""OAuth clients, and what users let them have."""

from sqlalchemy import BigInteger, Index, LargeBinary
from sqlmodel import Field, SQLModel

# SQLite would give the id of a deleted last row to the next one.
_NEVER_AGAIN = {"sqlite_autoincrement": True}


class AppRow(SQLModel, table=True):
    """An OAuth client: it asks users for a part of what they may."""

    __tablename__ = "app"

    client_id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    description: str = ""
    owner_id: int = Field(foreign_key="principal.id", index=True)
    role_id: int | None = Field(default=None, foreign_key="principal.id", index=True)
    """The role that the app is when it acts for nobody. Credentials of the role act for users as the app."""
    redirect_uris: str
    """JSON, as all lists here."""
    post_logout_redirect_uris: str = "[]"
    host: str | None = Field(default=None, unique=True)
    labels: str = Field(default="{}", sa_column_kwargs={"server_default": "{}"})
    """A JSON object."""
    audience: str | None = None
    """Of the tokens that its backend is given behind a proxy; None for the first that is known."""
    scope: str
    """What it wants at most."""
    authentication: str
    """`token_endpoint_auth_method` (RFC 7591 section 2)."""
    secret_hash: bytes | None = Field(default=None, sa_type=LargeBinary)
    jwks: str | None = None
    """Its public keys, for `private_key_jwt`."""
    id_token_algorithm: str | None = None
    """None for the algorithm of access tokens."""
    status_index: int
    """Of the tokens that it gets for itself."""
    created_at: int = Field(sa_type=BigInteger)
    created_by: str
    version: int = 1


class ClientAssertion(SQLModel, table=True):
    """The `jti` of a client's assertion: it is taken once (RFC 7523 section 3)."""

    __tablename__ = "client_assertion"

    client_id: str = Field(primary_key=True)
    token_id: str = Field(primary_key=True)
    expires_at: int = Field(sa_type=BigInteger, index=True)


class Visit(SQLModel, table=True):
    """A browser that was let in at an app behind a proxy, by a credential that it showed here.

    It ends with that credential: a secret of a role key, a session in the same browser, or a token.
    """

    __table_args__ = (_NEVER_AGAIN,)

    id: int = Field(default=None, primary_key=True)
    code_hash: bytes = Field(unique=True, sa_type=LargeBinary)
    """What the browser carries from here to the app, once."""
    browser_hash: bytes = Field(sa_type=LargeBinary)
    """Of what it got at the app when it began: to another browser the code is worth nothing."""
    client_id: str = Field(index=True)
    principal_id: int = Field(foreign_key="principal.id", index=True)
    secret_id: int | None = Field(default=None, index=True)
    session_id: int | None = Field(default=None, index=True)
    claims: str | None = None
    """A JSON object: of the token that opened it. Without the signature they are worth nothing."""
    status_index: int = Field(index=True)
    """Of the tokens that the app is handed."""
    target: str
    """Where it was going: a path, with its query."""
    address: str
    user_agent: str
    code_expires_at: int = Field(sa_type=BigInteger)
    cookie_hash: bytes | None = Field(default=None, unique=True, sa_type=LargeBinary)
    """None until the code is used."""
    used_at: int | None = Field(default=None, sa_type=BigInteger)
    created_at: int = Field(sa_type=BigInteger)
    expires_at: int = Field(sa_type=BigInteger, index=True)


class UserGrant(SQLModel, table=True):
    """Something that a user's tokens are issued from: a sign-in in a browser or at a client, or a consent."""

    __tablename__ = "user_grant"
    __table_args__ = (Index("ix_user_grant_client", "client_id", "user_id"), _NEVER_AGAIN)

    id: int = Field(default=None, primary_key=True)
    kind: str
    """`session` (a browser's), `sign-in` (a client's), `consent`."""
    user_id: int = Field(foreign_key="principal.id", index=True)
    client_id: str
    """Of an app, or of what belongs to the issuer itself."""
    scope: str | None = None
    """What the user consented to; None for all that the user may."""
    audience: str | None = None
    """Of its tokens, unless another one is asked for; None for the first that is known."""
    session_id: int | None = Field(default=None, index=True)
    """Of a sign-in: the browser's session in which the user let the client in, if it was this one's."""
    status_index: int
    cookie_hash: bytes | None = Field(default=None, unique=True, sa_type=LargeBinary)
    """What a browser proves its session by."""
    authenticated_at: int = Field(sa_type=BigInteger)
    """When the user last proved who it is (`auth_time`)."""
    methods: str = ""
    """How, by the names of RFC 8176 (`amr`), with spaces between."""
    address: str = ""
    user_agent: str = ""
    created_at: int = Field(sa_type=BigInteger)
    last_used_at: int | None = Field(default=None, sa_type=BigInteger)
    expires_at: int | None = Field(default=None, sa_type=BigInteger, index=True)


class RefreshToken(SQLModel, table=True):
    """One refresh token of a sign-in. It is kept when it is used, so that its reuse is noticed."""

    __tablename__ = "refresh_token"

    hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    grant_id: int = Field(foreign_key="user_grant.id", index=True)
    created_at: int = Field(sa_type=BigInteger)
    used_at: int | None = Field(default=None, sa_type=BigInteger)


class AuthorizationCode(SQLModel, table=True):
    """What a user's browser carries to a client, once (RFC 6749 section 4.1)."""

    __tablename__ = "authorization_code"

    hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    client_id: str = Field(index=True)
    user_id: int = Field(foreign_key="principal.id", index=True)
    session_id: int
    """The browser's session in which it was given: a code of a session that ended is worth nothing."""
    redirect_uri: str
    scope: str
    audience: str
    code_challenge: str
    nonce: str | None = None
    authenticated_at: int = Field(sa_type=BigInteger)
    methods: str = ""
    expires_at: int = Field(sa_type=BigInteger, index=True)
    used_at: int | None = Field(default=None, sa_type=BigInteger)
    grant_id: int | None = None
    """The sign-in that it became: when the code comes again, that ends."""


class DeviceCode(SQLModel, table=True):
    """A device that waits for somebody to approve it elsewhere (RFC 8628)."""

    __tablename__ = "device_code"

    hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    user_code: str = Field(unique=True)
    client_id: str = Field(index=True)
    scope: str
    audience: str
    address: str
    user_agent: str
    created_at: int = Field(sa_type=BigInteger)
    expires_at: int = Field(sa_type=BigInteger, index=True)
    interval: int
    """Seconds between two questions."""
    polled_at: int | None = Field(default=None, sa_type=BigInteger)
    decision: str | None = None
    """`approved` or `denied`."""
    user_id: int | None = Field(default=None, foreign_key="principal.id", index=True)
    session_id: int | None = None
    """The browser's session in which it was decided: an approval in a session that ended is worth nothing."""
    authenticated_at: int | None = Field(default=None, sa_type=BigInteger)
    methods: str = ""
    used_at: int | None = Field(default=None, sa_type=BigInteger)
    grant_id: int | None = None
    """The sign-in that it became: when the code comes again, that ends."""


class WrongUserCode(SQLModel, table=True):
    """Somebody typed a code under which nothing waits."""

    __tablename__ = "wrong_user_code"
    __table_args__ = (Index("ix_wrong_user_code_who", "who", "at"),)

    id: int = Field(default=None, primary_key=True)
    who: str
    """A user, or an address."""
    at: int = Field(sa_type=BigInteger, index=True)
