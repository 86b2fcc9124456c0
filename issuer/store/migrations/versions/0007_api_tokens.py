"""Role keys may be API tokens"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_token",
        sa.Column("access", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("presets", sa.String(), nullable=False),
        sa.Column("label_selectors", sa.String(), nullable=False),
        sa.Column("resources", sa.String(), nullable=False),
        sa.Column("audiences", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["access"], ["role_key.access"]),
        sa.PrimaryKeyConstraint("access"),
    )
