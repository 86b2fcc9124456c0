"""How often role keys were exchanged, an hour a row"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exchange_count",
        sa.Column("access", sa.String(), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["access"], ["role_key.access"]),
        sa.PrimaryKeyConstraint("access", "hour"),
    )
    op.create_index("ix_exchange_count_hour", "exchange_count", ["hour"])
