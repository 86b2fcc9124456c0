"""Users have accounts, and hold roles"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "user_account",
        sa.Column("principal_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["principal_id"], ["principal.id"]),
        sa.PrimaryKeyConstraint("principal_id"),
    )
    op.create_table(
        "membership",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["principal.id"]),
        sa.ForeignKeyConstraint(["role_id"], ["principal.id"]),
        sa.PrimaryKeyConstraint("user_id", "role_id"),
    )
    op.create_index("ix_membership_role_id", "membership", ["role_id"])
    # The first users came before there were accounts.
    op.execute(
        "INSERT INTO user_account (principal_id, display_name) "
        "SELECT id, '' FROM principal WHERE name LIKE 'user:%' AND deleted_at IS NULL"
    )
