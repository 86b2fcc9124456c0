"""A command with a fresh token: for tools that read one from the environment or from a file."""

from __future__ import annotations

from typing import Annotated

import typer

from holder.cli.credential import STS_AUDIENCE
from holder.cli.options import with_session
from holder.cli.session import Session, say
from holder.errors import UsageError


@with_session
def exec_(
    session: Session,
    command: Annotated[list[str] | None, typer.Argument(metavar="-- CMD …", help="What to run.")] = None,
    *,
    resource: Annotated[str | None, typer.Option(metavar="AUD", help="The service that it is for.")] = None,
    scope: Annotated[
        str | None, typer.Option(metavar="S", help="Narrower: permissions, space between them.")
    ] = None,
    aws_role_arn: Annotated[
        str | None,
        typer.Option(
            metavar="ARN", help=f"Also for AWS's own tools: the role; AUD is {STS_AUDIENCE} if none is given."
        ),
    ] = None,
) -> None:
    """Run a command with a fresh token in HOURMARK_TOKEN, and one that stays fresh in HOURMARK_TOKEN_FILE.

    What runs for longer than a token lives reads the file. The credential itself is not handed on.

    \b
    Examples:
      hourmark exec -- ./deploy.sh
      hourmark exec --resource https://api.example --scope data:get@my-set -- python report.py
      hourmark exec --aws-role-arn arn:aws:iam::123456789012:role/reader -- aws s3 ls
    """
    from holder import launcher
    from holder.child_process import ChildProcess

    if not command:
        raise UsageError("There is no command to run", "it stands behind --", "hourmark exec -- env")
    if aws_role_arn is not None and resource is None:
        resource = STS_AUDIENCE
    token = session.fresh_token(resource=resource, scope=scope)
    with ChildProcess(command) as process:
        code = launcher.run_with_token(
            process, token, session.url, session.environ, say, aws_role_arn=aws_role_arn
        )
    raise typer.Exit(code)
