"""What other processes must look at again, and who changed what."""

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel


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
        Index(f"ix_audit_{column}", column, "number") for column in ("actor", "action", "target", "client_id")
    )

    number: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    at: int = Field(sa_type=BigInteger)
    actor: str
    action: str
    target: str
    detail: str
    """JSON."""
    client_id: str | None = None
    """The app that acted for `actor` (RFC 8693 calls them actor and subject); None for who acted alone."""
    previous_hash: str
    hash: str
