"""The audit says which client acted on somebody's behalf"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit", sa.Column("client_id", sa.String(), nullable=True))
    op.create_index("ix_audit_client_id", "audit", ["client_id", "number"])
