"""The tables. Times are Unix seconds; secrets are hashes, keys are sealed."""

from sqlalchemy import BigInteger, Index, LargeBinary, UniqueConstraint
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


class UserAccount(SQLModel, table=True):
    """What is known of a person, beside the principal. It goes when the user is deleted."""

    __tablename__ = "user_account"

    principal_id: int = Field(
        primary_key=True, foreign_key="principal.id", sa_column_kwargs={"autoincrement": False}
    )
    display_name: str
    email: str | None = None
    disabled_at: int | None = Field(default=None, sa_type=BigInteger)


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


class PolicyRow(SQLModel, table=True):
    """One permission of a principal."""

    __tablename__ = "policy"
    __table_args__ = (UniqueConstraint("principal_id", "permission"), _NEVER_AGAIN)

    id: int = Field(default=None, primary_key=True)
    principal_id: int = Field(foreign_key="principal.id")
    permission: str
    created_at: int = Field(sa_type=BigInteger)
    created_by: str


class RoleKeyRow(SQLModel, table=True):
    """A long-lived credential of a principal, without its secrets."""

    __tablename__ = "role_key"

    access: str = Field(primary_key=True)
    principal_id: int = Field(foreign_key="principal.id", index=True)
    name: str
    scope: str | None = None
    """What it was narrowed to; None for all that its principal holds."""
    created_at: int = Field(sa_type=BigInteger)
    created_by: str = Field(index=True)
    """The credential that made it."""
    expires_at: int | None = Field(default=None, sa_type=BigInteger)
    last_exchanged_at: int | None = Field(default=None, sa_type=BigInteger)


class Secret(SQLModel, table=True):
    """One secret of a role key: more than one only while an old one has its grace."""

    __table_args__ = (_NEVER_AGAIN,)

    id: int = Field(default=None, primary_key=True)
    access: str = Field(foreign_key="role_key.access", index=True)
    hash: bytes = Field(sa_type=LargeBinary)
    hash_key_version: int = Field(foreign_key="hash_key.version")
    status_index: int
    created_at: int = Field(sa_type=BigInteger)
    ends_at: int | None = Field(default=None, sa_type=BigInteger)
    """The end of its grace; None for the secret in force."""


class StatusIndex(SQLModel, table=True):
    """An index of the status list that was ever given out. The row is kept, since the index is used again."""

    __tablename__ = "status_index"
    __table_args__ = (Index("ix_status_index_dead_from", "dead_from"),)

    index: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    owner: str
    """Whose it is: an index that went to somebody else is not revoked on behalf of its former owner."""
    is_set: bool = Field(default=False, index=True)
    set_from: int | None = Field(default=None, sa_type=BigInteger, index=True)
    """When it is to be set: the end of its owner's grace. None if nothing is planned."""
    dead_from: int | None = Field(default=None, sa_type=BigInteger)
    """From when nothing refers to it any more as it stands: no token if it is clear, no token either if it is
    set, and once cleared no list that had it set. None while its owner lives."""


class StatusListVersion(SQLModel, table=True):
    """The one status list: which version it is at, and the version that is signed."""

    __tablename__ = "status_list"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    version: int = Field(sa_type=BigInteger)
    signed_version: int = Field(sa_type=BigInteger)
    document: str
    signed_at: int = Field(sa_type=BigInteger)


class SealedSigningKey(SQLModel, table=True):
    """A signing key at rest. `number` is unique so that of two hosts that rotate at once one wins."""

    __tablename__ = "signing_key"

    kid: str = Field(primary_key=True)
    number: int = Field(unique=True)
    algorithm: str
    sealed: bytes = Field(sa_type=LargeBinary)
    published_at: int = Field(sa_type=BigInteger)
    signs_from: int = Field(sa_type=BigInteger)
    revoked_at: int | None = Field(default=None, sa_type=BigInteger)


class HashKey(SQLModel, table=True):
    """The HMAC key of the secrets' hashes, at rest."""

    __tablename__ = "hash_key"

    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    sealed: bytes = Field(sa_type=LargeBinary)
    created_at: int = Field(sa_type=BigInteger)


class Change(SQLModel, table=True):
    """What other processes must look at again, numbered in the order of the commits."""

    number: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    kind: str
    ref: str


class AuditRow(SQLModel, table=True):
    """Who changed what. Each row's hash covers the row before."""

    __tablename__ = "audit"
    # What the newest rows are looked for by.
    __table_args__ = tuple(
        Index(f"ix_audit_{column}", column, "number") for column in ("actor", "action", "target")
    )

    number: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    at: int = Field(sa_type=BigInteger)
    actor: str
    action: str
    target: str
    detail: str
    """JSON."""
    previous_hash: str
    hash: str
