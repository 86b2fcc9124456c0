"""Wrong codes of devices are counted by all processes together"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wrong_user_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_wrong_user_code_who", "wrong_user_code", ["who", "at"])
    op.create_index("ix_wrong_user_code_at", "wrong_user_code", ["at"])
