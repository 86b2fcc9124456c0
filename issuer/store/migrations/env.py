"""Alembic's entry: `issuer.store.schema` hands the open connection over."""

from alembic import context
from sqlmodel import SQLModel

import issuer.store.tables  # noqa: F401 - fills SQLModel's metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
