"""Role keys, those that are API tokens, and their secrets."""

from sqlalchemy import BigInteger, LargeBinary
from sqlmodel import Field, SQLModel

# SQLite would give the id of a deleted last row to the next one.
_NEVER_AGAIN = {"sqlite_autoincrement": True}


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


class ApiTokenRow(SQLModel, table=True):
    """What a role key was made from that is an API token. Lists are separated by spaces."""

    __tablename__ = "api_token"

    access: str = Field(primary_key=True, foreign_key="role_key.access")
    description: str
    presets: str
    label_selectors: str
    resources: str
    audiences: str


class ExchangeCount(SQLModel, table=True):
    """How often a role key was exchanged in one hour. Kept for the last few hours only."""

    __tablename__ = "exchange_count"

    access: str = Field(primary_key=True, foreign_key="role_key.access")
    hour: int = Field(
        primary_key=True, index=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    """When it began."""
    number: int = Field(sa_type=BigInteger)


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
