"""Apps: OAuth clients that users sign in at, and that act for users who agree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from holder.cli.labels import Labels, read_labels
from holder.cli.options import noun, with_session
from holder.cli.session import Session
from holder.errors import UsageError

app = noun("Apps: users sign in at them, and they act for users who agree.")
AppName = Annotated[str, typer.Argument(metavar="NAME", help="my-app")]
RedirectUris = Annotated[
    list[str] | None,
    typer.Option("--redirect-uri", metavar="URI", help="Where users come back to; may be given again."),
]
LogoutUris = Annotated[
    list[str] | None,
    typer.Option(
        "--post-logout-redirect-uri",
        metavar="URI",
        help="Where users come back to when they have signed out; may be given again.",
    ),
]
Jwks = Annotated[
    str | None, typer.Option(metavar="FILE", help="Its public keys: it signs instead of a secret.")
]
IdTokenAlg = Annotated[
    str | None, typer.Option("--id-token-alg", metavar="ALG", help="What its ID tokens are signed with.")
]
Wanted = Annotated[
    str | None, typer.Option("--scope", metavar="S", help="What it wants: permissions, space between them.")
]
Host = Annotated[str | None, typer.Option(metavar="H", help="Where it is found, behind a proxy.")]
Description = Annotated[str | None, typer.Option(metavar="D")]
NewLabels = Annotated[
    list[str] | None,
    typer.Option("-l", "--label", metavar="NAME=VALUE", help="All that it has from now on."),
]
Audience = Annotated[
    str | None, typer.Option(metavar="A", help="Which service its proxy hands it tokens for.")
]


@app.command()
@with_session
def register(
    session: Session,
    name: AppName,
    *,
    redirect_uri: RedirectUris = None,
    scope: Wanted = None,
    confidential: Annotated[
        bool, typer.Option("--confidential", help="It can keep a secret, and gets one.")
    ] = False,
    jwks: Jwks = None,
    owner: Annotated[
        str | None, typer.Option(metavar="PRINCIPAL", help="user:NAME or role:NAME; by default you.")
    ] = None,
    role: Annotated[
        str | None, typer.Option(metavar="ROLE", help="What it is when it acts for nobody.")
    ] = None,
    post_logout_redirect_uri: LogoutUris = None,
    id_token_alg: IdTokenAlg = None,
    host: Host = None,
    label: Labels = None,
    audience: Audience = None,
    description: Description = None,
) -> None:
    """Register an app. Its secret, if it has one, is shown once.

    \b
    Examples:
      hourmark app register my-app --confidential --redirect-uri https://app.example/cb --scope "data:get@*"
      hourmark app register my-tool --redirect-uri http://127.0.0.1/cb --scope "job:get@*"
      hourmark app register my-notes --host notes.example -l group=A
    """
    from holder import answers

    if confidential and jwks is not None:
        raise UsageError("--confidential and --jwks exclude one another", hint="leave out one of them")
    method = "private_key_jwt" if jwks else "client_secret_basic" if confidential else "none"
    asked = {
        "name": name,
        "redirect_uris": redirect_uri,
        "scope": scope,
        "token_endpoint_auth_method": method,
        "jwks": None if jwks is None else _read_jwks(jwks),
        "post_logout_redirect_uris": post_logout_redirect_uri,
        "id_token_signed_response_alg": id_token_alg,
        "owner": owner,
        "role": role,
        "host": host,
        "labels": read_labels(label) if label else None,
        "audience": audience,
        "description": description,
    }
    view = session.view(
        answers.names(answers.RegisteredApp), shown_once="client_secret" if confidential else None
    )
    view.one(asdict(session.issuer().register_app(_given(asked))))


@app.command("list")
@with_session
def list_(session: Session) -> None:
    """Show the apps that you own, or may look at.

    \b
    Example:
      hourmark app list --field name
    """
    from holder import answers

    session.view(answers.names(answers.App)).many(map(asdict, session.issuer().apps()))


@app.command()
@with_session
def get(session: Session, name: AppName) -> None:
    """Show one app.

    \b
    Example:
      hourmark app get my-app
    """
    from holder import answers

    session.view(answers.names(answers.App)).one(asdict(session.issuer().app(name)))


@app.command()
@with_session
def update(
    session: Session,
    name: AppName,
    *,
    redirect_uri: RedirectUris = None,
    scope: Wanted = None,
    jwks: Jwks = None,
    post_logout_redirect_uri: LogoutUris = None,
    id_token_alg: IdTokenAlg = None,
    host: Host = None,
    label: NewLabels = None,
    audience: Audience = None,
    description: Description = None,
) -> None:
    """Change what is registered; users are asked about what is new.

    \b
    Examples:
      hourmark app update my-app --scope "data:get@* data:put@my-set"
      hourmark app update my-app --jwks keys.json
    """
    from holder import answers

    asked = {
        "redirect_uris": redirect_uri,
        "scope": scope,
        "jwks": None if jwks is None else _read_jwks(jwks),
        "post_logout_redirect_uris": post_logout_redirect_uri,
        "id_token_signed_response_alg": id_token_alg,
        "host": host,
        "labels": read_labels(label) if label else None,
        "audience": audience,
        "description": description,
    }
    changes = _given(asked)
    if not changes:
        raise UsageError("Nothing to change", hint="hourmark app update --help")
    session.view(answers.names(answers.App)).one(asdict(session.issuer().update_app(name, changes)))


@app.command()
@with_session
def secret(session: Session, name: AppName) -> None:
    """Give an app a new secret, shown once. The one before is no good any more.

    \b
    Example:
      hourmark app secret my-app --field client_secret
    """
    from holder import answers

    view = session.view(answers.names(answers.RegisteredApp), shown_once="client_secret")
    view.one(asdict(session.issuer().renew_app_secret(name)))


@app.command()
@with_session
def delete(session: Session, name: AppName) -> None:
    """End an app, with everything that users let it have.

    \b
    Example:
      hourmark app delete my-app
    """
    from holder import answers

    session.view(answers.names(answers.DeletedApp)).one(asdict(session.issuer().delete_app(name)))


def _given(asked: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in asked.items() if value not in (None, [])}


def _read_jwks(path: str) -> object:
    """Raises UsageError."""
    try:
        return json.loads(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not JSON"
        raise UsageError(f"The key set {path} cannot be read", str(why), "name a file with a JWKS") from None
