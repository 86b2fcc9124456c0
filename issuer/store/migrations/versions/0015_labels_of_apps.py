"""Apps have labels, and an audience of their own"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("app", sa.Column("labels", sa.String(), nullable=False, server_default="{}"))
    op.add_column("app", sa.Column("audience", sa.String(), nullable=True))
    op.execute("""UPDATE app SET labels = '{"hourmark/id": "' || client_id || '", "hourmark/type": "app"}'""")
