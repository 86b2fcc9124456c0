"""A sign-in remembers which service its tokens are for"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Those of before go on with the first audience that is known, as they did.
    op.add_column("user_grant", sa.Column("audience", sa.String(), nullable=True))
