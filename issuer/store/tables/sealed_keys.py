"""Keys at rest."""

from sqlalchemy import BigInteger, LargeBinary
from sqlmodel import Field, SQLModel


class SealedSigningKey(SQLModel, table=True):
    """A signing key at rest. `number` is unique so that of two hosts that rotate at once one wins."""

    __tablename__ = "signing_key"

    kid: str = Field(primary_key=True)
    number: int = Field(unique=True)
    ring: str = Field(sa_column_kwargs={"server_default": "tokens"})
    """Whose keys follow one another: those of tokens, of ID tokens by another algorithm, of registries."""
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
