"""Who changed what."""

from __future__ import annotations

import json
from contextlib import closing

import typer

from issuer.cli.errors import CommandError
from issuer.cli.options import Output, noun, read_settings, say

app = noun("Who changed what.")


@app.command()
def verify(output: Output = "text") -> None:
    """Check that no row of the audit chain was changed, put in, or removed from between others.

    A head hash that was noted elsewhere shows later whether rows were cut off the end.
    """
    from issuer.setup import open_database
    from issuer.store.audit import check_chain

    with closing(open_database(read_settings())) as database, database.read() as session:
        chain = check_chain(session)
    holds = chain.first_broken is None
    if output == "json":
        found = {"holds": holds, "rows": chain.rows, "head_hash": chain.head_hash}
        typer.echo(json.dumps(found | {"first_broken": chain.first_broken}))
    if not holds:
        raise CommandError(
            f"the audit chain is broken at row {chain.first_broken}: somebody changed the table behind the "
            "service's back",
            code="audit_chain_broken",
            hint="compare it with a backup",
        )
    if output == "text":
        say("The audit chain holds.")
