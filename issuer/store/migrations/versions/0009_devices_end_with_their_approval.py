"""A device code remembers the session in which it was approved, and the sign-in that it became"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # One that was approved before this has no session, and has to begin again.
    op.add_column("device_code", sa.Column("session_id", sa.Integer(), nullable=True))
    op.add_column("device_code", sa.Column("grant_id", sa.Integer(), nullable=True))
