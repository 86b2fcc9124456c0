"""The status list."""

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel


class StatusIndex(SQLModel, table=True):
    """An index of the status list that was ever given out. The row is kept, since the index is used again."""

    __tablename__ = "status_index"
    __table_args__ = (Index("ix_status_index_dead_from", "dead_from"),)

    index: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    owner: str
    """Whose it is: an index that went to somebody else is not revoked on behalf of its former owner."""
    parent: int | None = Field(default=None, index=True)
    """The index of the token that this one came of: it is set together with that one."""
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
