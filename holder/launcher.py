"""Runs a command with what it gets its tokens by: as a job, or with a fresh token of whoever starts it.

All of it is in a folder that nobody else can enter and that goes with the command, or with the next one where
the launcher was killed. The starter's own credential is not handed on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from holder import private_file
from holder.child_process import ChildProcess
from holder.credentials import FILE_VARIABLE, SOCKET_VARIABLE, VARIABLE
from holder.fresh_token import FreshToken
from holder.holder import PROFILE_VARIABLE, URL_VARIABLE, Holder
from holder.local_endpoint import TokenServer
from holder.private_folder import private_folder
from holder.token_file import TokenFile

FRESH_FILE_VARIABLE = "HOURMARK_ACCESS_TOKEN_FILE"
"""A file that holds a token that is good now, whichever way the command was started."""
_AWS_GOES_BEFORE = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
)
"""Keys, or a profile that assumes a role with others: the web identity would not be looked at."""
Say = Callable[[str], None]
# What the command is to know of its token is said; of an issuer that is away for a moment it is nothing.
logging.getLogger("verifier").addHandler(logging.NullHandler())


def run_job(process: ChildProcess, ticket: str, url: str, environ: Mapping[str, str], say: Say) -> int:
    """The command's exit code, as a shell has it. Raises HolderError.

    It has its ticket in a file, a file with a fresh token, and the local endpoint.
    """
    with private_folder() as folder:
        ticket_file, socket = folder.path / "ticket", folder.path / "socket"
        private_file.replace(ticket_file, ticket)
        job = Holder(url=url, environ={FILE_VARIABLE: str(ticket_file)})
        server = TokenServer(socket, lambda resource, scope: job.fresh_token(resource=resource, scope=scope))
        with server, TokenFile(folder.path / "token", server.token(None, None), say) as token_file:
            return process.run(
                _without_credential(environ)
                | {
                    URL_VARIABLE: url,
                    FILE_VARIABLE: str(ticket_file),
                    SOCKET_VARIABLE: str(socket),
                    FRESH_FILE_VARIABLE: str(token_file.path),
                },
                folder.lock,
            )


def run_with_token(
    process: ChildProcess,
    token: FreshToken,
    url: str,
    environ: Mapping[str, str],
    say: Say,
    *,
    aws_role_arn: str | None = None,
) -> int:
    """The same: a token in the environment, for the beginning, and one in a file, fresh until the end.

    aws_role_arn: the role that AWS's own tools become with that file.
    """
    with private_folder() as folder, TokenFile(folder.path / "token", token, say) as token_file:
        path = str(token_file.path)
        own = {URL_VARIABLE: url, VARIABLE: token(), FILE_VARIABLE: path, FRESH_FILE_VARIABLE: path}
        if aws_role_arn is not None:
            own |= {"AWS_ROLE_ARN": aws_role_arn, "AWS_WEB_IDENTITY_TOKEN_FILE": path}
        hidden = () if aws_role_arn is None else _AWS_GOES_BEFORE
        return process.run(_without_credential(environ, *hidden) | own, folder.lock)


def _without_credential(environ: Mapping[str, str], *others: str) -> dict[str, str]:
    hidden = (VARIABLE, FILE_VARIABLE, SOCKET_VARIABLE, PROFILE_VARIABLE, *others)
    return {name: value for name, value in environ.items() if name not in hidden}
