"""Jobs that ended long ago are found by when they ended"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_job_ends_at", "job", ["ends_at"])
