"""Principals have versions; the audit log is looked up by who, what and whom"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The default stays: processes of the version before go on making principals until they are restarted.
    op.add_column("principal", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    for column in ("actor", "action", "target"):
        op.create_index(f"ix_audit_{column}", "audit", [column, "number"])
