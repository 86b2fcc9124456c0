"""Jobs: a command that gets its tokens with no secret baked in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from holder.cli.labels import Labels, read_labels
from holder.cli.moments import parse_duration
from holder.cli.options import noun, with_session
from holder.cli.session import Session, say
from holder.errors import HolderError, SignInNeeded, Unreachable, UsageError

if TYPE_CHECKING:
    from holder.answers import NewJob

_PAUSES = (1, 2, 4, 8, 15)
"""Seconds between two attempts to end a job whose issuer is away."""
app = noun("Jobs: programs that run as a role for a while.")
JobId = Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it: job_…")]


class State(StrEnum):
    """Whether a job still runs."""

    RUNNING = "running"
    ENDED = "ended"


@app.command()
@with_session
def new(
    session: Session,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="[-- CMD …]", help="What to run; without, only the ticket.")
    ] = None,
    *,
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="What it runs as.")],
    name: Annotated[str | None, typer.Option(metavar="N", help="What it is for.")] = None,
    label: Labels = None,
    time_limit: Annotated[
        str | None,
        typer.Option(metavar="SPAN", help="When it ends at the latest: 60s to 90d. By default 24h."),
    ] = None,
) -> None:
    """Begin a job, run a command in it, and end it whatever happens.

    Inside, `hourmark login token` and every other command act as the role.

    \b
    Examples:
      hourmark job new --role org.account.train -l team=nlp -- python train.py
      hourmark job new --role org.account.train --time-limit 72h --field ticket
    """
    from holder import answers
    from verifier.labels import ID, TYPE

    view = session.view(answers.names(answers.NewJob), shown_once=None if command else "ticket")
    seconds = None if time_limit is None else int(parse_duration(time_limit, "--time-limit").total_seconds())
    values = read_labels(label or [])

    def begin() -> answers.NewJob:
        return session.issuer().create_job(role, name=name, labels=values, time_limit_seconds=seconds)

    if ours := sorted({ID, TYPE} & values.keys()):
        say(f"{' and '.join(ours)}: the platform sets it, whatever --label says.")
    if command:
        raise typer.Exit(_run(session, command, begin))
    view.one(asdict(begin()))
    say("The ticket is shown this once. It is good until the job ends: hourmark job end ID")


@app.command("list")
@with_session
def list_(
    session: Session,
    state: Annotated[State | None, typer.Option(help="Those alone that run, or that have ended.")] = None,
) -> None:
    """Show the jobs that you may look at.

    \b
    Examples:
      hourmark job list
      hourmark job list --state running --field id
    """
    from holder import answers

    view = session.view(answers.names(answers.Job))
    view.many(map(asdict, session.issuer().jobs(state=state)))


@app.command()
@with_session
def get(session: Session, job: JobId) -> None:
    """Show a job.

    \b
    Example:
      hourmark job get job_0123456789abcdef
    """
    from holder import answers

    session.view(answers.names(answers.Job)).one(asdict(session.issuer().job(job)))


@app.command("label")
@with_session
def label_(
    session: Session,
    job: JobId,
    label: Annotated[
        list[str] | None,
        typer.Option("-l", "--label", metavar="NAME=VALUE", help="May be given again."),
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="It has none from now on.")] = False,
) -> None:
    """Give a job that runs other labels, in place of those that it has. Its next token carries them.

    Tokens with the labels before end. What begins with hourmark/ stays.

    \b
    Example:
      hourmark job label job_0123456789abcdef -l team=nlp -l stage=live
    """
    from holder import answers

    view, labels = session.view(answers.names(answers.Job)), read_labels(label or [])
    if bool(labels) == clear:
        raise UsageError("Which labels?", "give all that it is to have, or --clear", "-l team=nlp")
    view.one(asdict(session.issuer().label_job(job, labels)))


@app.command()
@with_session
def end(session: Session, job: JobId) -> None:
    """End a job: its ticket and its tokens are no good any more. Its program is not stopped.

    \b
    Example:
      hourmark job end job_0123456789abcdef
    """
    from holder import answers

    session.view(answers.names(answers.Job)).one(asdict(session.issuer().end_job(job)))


def _run(session: Session, command: list[str], begin: Callable[[], NewJob]) -> int:
    """From here on no signal comes between the job's beginning and its end."""
    from holder import launcher
    from holder.child_process import ChildProcess

    with ChildProcess(command) as process:
        job = begin()
        try:
            return launcher.run_job(process, job.ticket, session.url, session.environ, say)
        finally:
            _end(session, job)


def _end(session: Session, job: NewJob) -> None:
    """By its ticket: the credential that began it may have ended. An issuer that is away is waited for.

    Whatever happened to the command is what is told of.
    """
    from holder.credentials import Ticket

    issuer = session.issuer_for(None)
    for pause in (*_PAUSES, None):
        try:
            issuer.end_own_job(Ticket(job.ticket))
            return
        except SignInNeeded:  # its ticket is good for nothing: it has ended before
            return
        except HolderError as error:
            if pause is None or not isinstance(error, Unreachable):
                say(f"The job could not be ended: {error}.")
                say(f"It ends at its limit, or by: hourmark job end {job.id}")
                return
        time.sleep(pause)
