"""Principals, and what is known of those that are people."""

from sqlalchemy import BigInteger, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

# SQLite would give the id of a deleted last row to the next one.
_NEVER_AGAIN = {"sqlite_autoincrement": True}


class Principal(SQLModel, table=True):
    """A user or a role. The row outlives it: its name is never used again."""

    id: int = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    """`user:NAME` or `role:ORG.ACCOUNT.NAME`."""
    created_at: int = Field(sa_type=BigInteger)
    created_by: str
    deleted_at: int | None = Field(default=None, sa_type=BigInteger)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    """Raised with every change of it or of its policies."""


class PolicyRow(SQLModel, table=True):
    """One permission of a principal."""

    __tablename__ = "policy"
    __table_args__ = (UniqueConstraint("principal_id", "permission"), _NEVER_AGAIN)

    id: int = Field(default=None, primary_key=True)
    principal_id: int = Field(foreign_key="principal.id")
    permission: str
    created_at: int = Field(sa_type=BigInteger)
    created_by: str


class UserAccount(SQLModel, table=True):
    """What is known of a person, beside the principal. It goes when the user is deleted."""

    __tablename__ = "user_account"

    principal_id: int = Field(
        primary_key=True, foreign_key="principal.id", sa_column_kwargs={"autoincrement": False}
    )
    display_name: str
    email: str | None = None
    disabled_at: int | None = Field(default=None, sa_type=BigInteger)
    password_hash: str | None = None
    """argon2id, with its parameters; None for a user without a password."""


class Membership(SQLModel, table=True):
    """A user holds a role."""

    user_id: int = Field(
        primary_key=True, foreign_key="principal.id", sa_column_kwargs={"autoincrement": False}
    )
    role_id: int = Field(
        primary_key=True, foreign_key="principal.id", index=True, sa_column_kwargs={"autoincrement": False}
    )
    created_at: int = Field(sa_type=BigInteger)
    created_by: str


class PasskeyRow(SQLModel, table=True):
    """A public key of a user's authenticator (WebAuthn)."""

    __tablename__ = "passkey"

    credential_id: bytes = Field(primary_key=True, sa_type=LargeBinary)
    user_id: int = Field(foreign_key="principal.id", index=True)
    public_key: bytes = Field(sa_type=LargeBinary)
    sign_count: int = Field(sa_type=BigInteger)
    name: str
    created_at: int = Field(sa_type=BigInteger)
    last_used_at: int | None = Field(default=None, sa_type=BigInteger)


class UpstreamIdentity(SQLModel, table=True):
    """Who a user is at another OpenID provider."""

    __tablename__ = "upstream_identity"

    issuer: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    user_id: int = Field(foreign_key="principal.id", index=True)
    created_at: int = Field(sa_type=BigInteger)


class Invitation(SQLModel, table=True):
    """A link by which a user sets up how to sign in, once."""

    hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    user_id: int = Field(foreign_key="principal.id", index=True)
    created_at: int = Field(sa_type=BigInteger)
    created_by: str
    expires_at: int = Field(sa_type=BigInteger)
