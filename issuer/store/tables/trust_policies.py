"""Trust policies."""

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class TrustPolicyRow(SQLModel, table=True):
    """Which outside tokens become a role."""

    __tablename__ = "trust_policy"

    id: str = Field(primary_key=True)
    number: int = Field(unique=True)
    """In the order in which they were made."""
    principal_id: int = Field(foreign_key="principal.id", index=True)
    clauses: str
    """A JSON object."""
    description: str
    status_index: int
    created_at: int = Field(sa_type=BigInteger)
    created_by: str
