"""Signing keys stand in rings: one of the tokens, one of ID tokens for each other algorithm"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("signing_key", sa.Column("ring", sa.String(), nullable=False, server_default="tokens"))
