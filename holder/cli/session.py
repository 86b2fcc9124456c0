"""What a command works with: the choices on its command line and in the environment, and what follows."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import typer

from holder import profile
from holder.cli.output import Format, View, printable
from holder.errors import SignInNeeded, UsageError

if TYPE_CHECKING:
    from holder.answers import IssuedToken
    from holder.authorization_server import AuthorizationServer
    from holder.client import Issuer
    from holder.connection import Connection
    from holder.credentials import Credential, Offer
    from holder.profile import Profile

URL_VARIABLE, PROFILE_VARIABLE = "HOURMARK_URL", "HOURMARK_PROFILE"
PROFILE_OPTION = "--profile"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choices:
    """The options that every command has; None where nothing was chosen."""

    url: str | None = None
    profile: str | None = None
    app_token: str | None = dataclasses.field(default=None, repr=False)
    no_input: bool | None = None
    output: Format | None = None
    format_template: str | None = None
    field: str | None = None

    def over(self, earlier: Choices) -> Choices:
        """These choices, and the earlier ones where nothing was chosen again."""
        return Choices(
            url=_first(self.url, earlier.url),
            profile=_first(self.profile, earlier.profile),
            app_token=_first(self.app_token, earlier.app_token),
            no_input=_first(self.no_input, earlier.no_input),
            output=_first(self.output, earlier.output),
            format_template=_first(self.format_template, earlier.format_template),
            field=_first(self.field, earlier.field),
        )


class Session:
    """Everything is found when it is first asked for: a command that needs no credential never misses one."""

    def __init__(
        self, choices: Choices, context: typer.Context, environ: Mapping[str, str] = os.environ
    ) -> None:
        self.choices = choices
        self.context = context
        self.environ = environ
        self._opened: list[Connection] = []

    @cached_property
    def profile(self) -> profile.Profile:
        """What is kept under the profile that counts."""
        return profile.Profile.load(self.profile_name)

    @property
    def profile_name(self) -> str:
        """The profile that counts."""
        return self._chosen_profile[0]

    @property
    def profile_source(self) -> str:
        """What says that it counts."""
        return self._chosen_profile[1]

    @cached_property
    def _chosen_profile(self) -> tuple[str, str]:
        if self.choices.profile:
            return self.choices.profile, PROFILE_OPTION
        if named := self.environ.get(PROFILE_VARIABLE):
            return named, PROFILE_VARIABLE
        if chosen := profile.current():
            return chosen, "context use"
        return profile.DEFAULT, "default"

    @cached_property
    def url(self) -> str:
        """The issuer's: --url, HOURMARK_URL, profile. Raises UsageError if none is there."""
        from holder import issuer_url

        url, _ = self._chosen_url
        if url is None:
            raise UsageError(
                "No issuer is named",
                f"there is no --url, no {URL_VARIABLE}, and the profile {self.profile_name} keeps none",
                f"export {URL_VARIABLE}=https://issuer.example",
                code="no_issuer",
            )
        return issuer_url.parse(url)

    @property
    def url_source(self) -> str:
        """What says which issuer counts."""
        return self._chosen_url[1]

    @cached_property
    def _chosen_url(self) -> tuple[str | None, str]:
        if self.choices.url:
            return self.choices.url, "--url"
        if named := self.environ.get(URL_VARIABLE):
            return named, URL_VARIABLE
        return self.profile.url, f"profile {self.profile_name}"

    @cached_property
    def given(self) -> list[Offer]:
        """The credentials of the command line and the environment; the first one counts."""
        from holder import credentials

        return credentials.given(self.choices.app_token, self.environ)

    @cached_property
    def offer(self) -> Offer:
        """The credential that counts, not looked at yet. Raises SignInNeeded."""
        from holder import credentials

        return credentials.find(self.given, lambda: self.profile, self.token_of)

    def token_of(self, kept: Profile) -> str:
        """Of a user's sign-in, for the issuer's own API. Raises HolderError."""
        return self.token_of_sign_in(kept, resource=kept.url).access_token

    def token_of_sign_in(
        self,
        kept: Profile,
        *,
        resource: str | None,
        scope: str | None = None,
        min_ttl: int | None = None,
        refused: str | None = None,
    ) -> IssuedToken:
        """Raises HolderError."""
        from holder import authorization, sign_ins

        self._require_issuer_of(kept)
        issuer = self.authorization_server(kept.url)
        return sign_ins.SignIn(kept).token(
            lambda *asked: authorization.refresh(issuer, *asked),
            resource=resource,
            scope=scope,
            min_ttl=sign_ins.LEAST_SECONDS if min_ttl is None else max(min_ttl, 1),
            refused=refused,
        )

    @cached_property
    def credential(self) -> Credential:
        """The one that counts. A profile's goes to the profile's issuer and to nobody else."""
        if self.offer.profile is not None:
            self._require_issuer_of(self.offer.profile)
        return self.offer.credential()

    def _require_issuer_of(self, kept: Profile) -> None:
        """Raises SignInNeeded where another issuer is asked."""
        if self.url != kept.url:
            what = "a role key" if kept.sign_in is None else "a sign-in"
            raise SignInNeeded(
                f"You are not signed in at {self.url}",
                f"the profile {kept.name} keeps {what} for {kept.url} alone",
                f"hourmark login --url {self.url} --profile NAME",
                code="other_issuer",
            )

    def issuer(self, *, public: bool = False) -> Issuer:
        """The issuer, asked with the credential, or without one for what is `public`."""
        issuer = self.issuer_for(None if public else self._for_its_api(self.credential))
        if not public and self.offer.is_sign_in:
            issuer.renew = self._renewed
        return issuer

    def _for_its_api(self, credential: Credential) -> Credential:
        """A ticket is good for tokens alone."""
        from holder.credentials import Credential, Ticket

        if not isinstance(credential.secret, Ticket):
            return credential
        issued = self.issuer_for(None).exchange_ticket(credential.secret, resource=self.url)
        return Credential.parse(issued.access_token, credential.source)

    def _renewed(self) -> Credential:
        """Of a user's sign-in, another token than the one that the issuer has just refused."""
        from holder.credentials import Credential

        issued = self.token_of_sign_in(
            self.profile, resource=self.profile.url, refused=self.credential.bearer
        )
        return Credential.parse(issued.access_token, self.offer.source)

    def issuer_for(self, credential: Credential | None) -> Issuer:
        """The issuer, asked with another credential than the one that counts."""
        from holder.client import Issuer

        issuer = Issuer(self.url, credential)
        self._opened.append(issuer)
        return issuer

    def authorization_server(self, url: str | None = None) -> AuthorizationServer:
        """The issuer, or the one of a sign-in, asked to sign somebody in, or out."""
        from holder import issuer_url
        from holder.authorization_server import AuthorizationServer

        server = AuthorizationServer(self.url if url is None else issuer_url.parse(url))
        self._opened.append(server)
        return server

    @property
    def why_not_ask(self) -> str | None:
        """What keeps us from asking the user; None where somebody is there and wants to be asked."""
        if self.choices.no_input:
            return "--no-input forbids to ask"
        if self.environ.get("CI"):
            return "CI is set, so nobody is asked"
        return None if sys.stdin.isatty() and sys.stderr.isatty() else "there is no terminal to ask on"

    def view(self, fields: Sequence[str], *, usual: Format = Format.TABLE) -> View:
        """How to show data with `fields`; `usual` is the form where none was chosen. Raises UsageError."""
        chosen = self.choices
        return View(fields, chosen.output, chosen.format_template, chosen.field, usual=usual)

    def say_if_set(self, what: str, *variables: str) -> None:
        """Tells of each of these variables that is set what that means."""
        for variable in variables:
            if self.environ.get(variable):
                say(f"{variable} {what}.")

    def close(self) -> None:
        """Ends the connections that were opened."""
        for connection in self._opened:
            connection.close()


def say(text: str) -> None:
    """Words for people, on stderr. What an issuer or a file said may be among them."""
    typer.echo("\n".join(map(printable, text.split("\n"))), err=True)


def _first(one: T | None, other: T | None) -> T | None:
    return other if one is None else one
