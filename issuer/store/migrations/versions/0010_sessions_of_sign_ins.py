"""A sign-in at a client remembers the session that it began in"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user_grant", sa.Column("session_id", sa.Integer(), nullable=True))
    op.create_index("ix_user_grant_session_id", "user_grant", ["session_id"])
