"""The database's schema."""

from __future__ import annotations

from issuer.cli.options import noun, read_settings, say

app = noun("The database's schema.")


@app.command()
def upgrade() -> None:
    """Bring the database to this version's schema."""
    from issuer import setup

    setup.upgrade(read_settings())
    say("The schema is current.")
