"""Jobs."""

from sqlalchemy import BigInteger, LargeBinary
from sqlmodel import Field, SQLModel


class JobRow(SQLModel, table=True):
    """A program that runs as a role for a while. Its ticket is a keyed hash here."""

    __tablename__ = "job"

    id: str = Field(primary_key=True)
    principal_id: int = Field(foreign_key="principal.id", index=True)
    name: str
    labels: str
    """A JSON object."""
    ticket_hash: bytes = Field(sa_type=LargeBinary, unique=True)
    status_index: int
    created_at: int = Field(sa_type=BigInteger)
    created_by: str
    ends_at: int = Field(sa_type=BigInteger, index=True)
    """Its time limit, or when it was ended."""
    is_ended: bool = False
    """Whether that was before its limit."""
