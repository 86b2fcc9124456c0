"""The signing keys."""

from __future__ import annotations

import json
import os
import pwd
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from issuer.cli.errors import ERROR, USAGE, CommandError
from issuer.cli.options import Output, noun, read_settings, say

if TYPE_CHECKING:
    from issuer.rotation import Revocation
    from issuer.settings import Settings
    from issuer.signing import SigningKeys
    from issuer.status import StatusPublisher

app = noun("The signing keys.")
_BRING = "bring every registry what `hourmarkd export registry` writes now, and restart it"


@app.command("list")
def list_(output: Output = "text") -> None:
    """Show every signing key and its phase."""
    from issuer import rfc3339

    now = int(time.time())
    with _signing(now) as (signing, _):
        rows = [
            {
                "kid": each.row.kid,
                "algorithm": each.key.algorithm.name,
                "ring": each.ring,
                "phase": each.phase.value,
                "published_at": rfc3339.write(each.row.published_at),
                "signs_from": rfc3339.write(each.row.signs_from),
            }
            for each in signing.standings(now)
        ]
    if output == "json":
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo("  ".join(row.values()))


@app.command()
def rotate(
    ring: Annotated[
        str,
        typer.Option(
            "--ring",
            help="as `hourmarkd keys list` shows it: tokens, an algorithm of ID tokens, or one of registries",
        ),
    ] = "tokens",
    output: Output = "text",
) -> None:
    """Have the next key sign as early as verifiers' caches allow."""
    from issuer import rfc3339
    from issuer.store.signing_keys import OF_REGISTRIES

    now = int(time.time())
    with _signing(now) as (signing, _):
        handover = signing.hand_over(ring, now, actor=_actor("rotate"))
    signs_from = rfc3339.write(handover.signs_from)
    if output == "json":
        typer.echo(json.dumps({"kid": handover.kid, "signs_from": signs_from}))
    elif ring in OF_REGISTRIES:
        say(
            f"The key {handover.kid} takes over at {signs_from}, a day after it was made at the earliest.\n"
            f"Before, {_BRING}; `hourmarkd doctor --registry URL` says whether it knows the key."
        )
    elif handover.signs_from <= now:
        say(f"The key {handover.kid} signs from now on: every verifier has had time to learn it.")
    else:
        say(
            f"The key {handover.kid} signs from {signs_from} on, when no verifier's cache is older than it.\n"
            "The key before it is accepted until its last token has expired. If that key was stolen, do not "
            "wait: `hourmarkd keys revoke -- KID`."
        )


@app.command()
def revoke(
    kid: Annotated[
        str,
        typer.Argument(
            metavar="KID", help="as `hourmarkd keys list` shows it; behind -- if it begins with -"
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    output: Output = "text",
) -> None:
    """End a stolen key at once: nothing that it signed is accepted any more, and another key signs."""
    now = int(time.time())
    with _signing(now) as (signing, status):
        was_signed = status.check_issuer()
        if not yes:
            _confirm(kid, signing, now)
        done = signing.revoke(kid, now, actor=_actor("revoke"))
        # Running issuers do the same at once. Here it is certain also when none runs.
        version = status.read(now).version if was_signed else None
    _report(done, kid, version, output)


@app.command()
def export(
    format_: Annotated[
        Literal["jwks", "pem"],
        typer.Option("--format", help="jwks as the issuer serves it, or pem, one public key after another"),
    ] = "jwks",
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="instead of stdout; replaced at once")
    ] = None,
) -> None:
    """Write the public keys for verifiers that have no network. They need them anew at each rotation."""
    from issuer import public_keys

    with _signing(int(time.time())) as (signing, _):
        jwks = signing.published.document
    document = jwks if format_ == "jwks" else public_keys.to_pem(jwks)
    if output is None:
        sys.stdout.buffer.write(document)
        sys.stdout.buffer.flush()
        return
    public_keys.replace_file(output, document)
    say(f"Wrote {output}.")


@contextmanager
def _signing(now: int) -> Iterator[tuple[SigningKeys, StatusPublisher]]:
    """The keys of the database, and the list that they sign."""
    from issuer.setup import open_database, read_key_encryption_key
    from issuer.signing import SigningKeys
    from issuer.status import StatusPublisher

    settings: Settings = read_settings()
    with closing(open_database(settings)) as database:
        signing = SigningKeys(database, read_key_encryption_key(settings), settings)
        signing.load(now)
        yield signing, StatusPublisher(database, signing, settings)


def _confirm(kid: str, signing: SigningKeys, now: int) -> None:
    """Asks on a terminal; elsewhere nobody is there to answer."""
    phases = {each.row.kid: each.phase for each in signing.standings(now)}
    if kid not in phases:
        return  # refused below, with the reason
    if not sys.stdin.isatty():
        what = "nobody is there to confirm it; nothing was changed"
        raise CommandError(what, code="not_confirmed", hint="say it with --yes", exit_code=USAGE)
    say(f"The key {kid} is {phases[kid]}. Every token that it signed is refused from now on, for good.")
    try:
        confirmed = typer.confirm("Revoke it?", err=True)
    except typer.Abort:
        say("")  # ends the line of the question
        raise
    if not confirmed:
        say("Nothing was changed.")
        raise typer.Exit(ERROR)


def _report(done: Revocation, kid: str, version: int | None, output: str) -> None:
    from issuer import rfc3339
    from issuer.rotation import JWKS_MAX_AGE
    from issuer.store.signing_keys import OF_REGISTRIES

    revoked_at = rfc3339.write(done.revoked_at)
    if output == "json":
        made = {"kid": kid, "revoked_at": revoked_at, "current": done.current, "next": done.next}
        typer.echo(json.dumps(made | {"status_list_version": version}))
        return
    if done.was_revoked_before:
        say(f"The key {kid} was revoked at {revoked_at} already. {done.current} signs.")
        return
    if done.ring in OF_REGISTRIES:
        say(
            f"The key {kid} is revoked. {done.current} took over, {done.next} is next.\n"
            f"Registries accept what {kid} signs until they are restarted without it: {_BRING}, at once."
        )
        return
    say(
        f"The key {kid} is revoked. {done.current} signs from now on, {done.next} is next.\n"
        "Who learns it when:\n"
        "  Hourmark verifiers   with the status list that the new key has signed: at once if they wait for\n"
        "                       it, else when they ask next (HOURMARKD_STATUS_TTL)\n"
        f"  other verifiers      when they fetch the JWKS next, at most {JWKS_MAX_AGE} s if they honour its\n"
        "                       max-age; restart those that do not\n"
        "  without network      when you bring them the new `hourmarkd keys export`\n"
        "Whoever holds a token of the revoked key gets a new one for the same credential."
    )


def _actor(command: str) -> str:
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return f"hourmarkd keys {command} (OS user {name})"
