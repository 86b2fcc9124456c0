"""Who asks, and where: which issuer, profile and credential count, and the tokens that they give."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from holder import profile
from holder.errors import SignInNeeded, UsageError

if TYPE_CHECKING:
    from holder.answers import IssuedToken
    from holder.authorization_server import AuthorizationServer
    from holder.client import Issuer
    from holder.connection import Connection
    from holder.credentials import Credential, Offer
    from holder.fresh_token import FreshToken
    from holder.profile import Profile

URL_VARIABLE, PROFILE_VARIABLE = "HOURMARK_URL", "HOURMARK_PROFILE"
PROFILE_OPTION = "--profile"


class Holder:
    """Everything is found when it is first asked for: who needs no credential never misses one."""

    def __init__(
        self,
        *,
        url: str | None = None,
        profile: str | None = None,
        app_token: str | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """What is named here goes before the environment, and that before what is kept."""
        self.environ = environ
        self._url, self._profile, self._app_token = url, profile, app_token
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
        if self._profile:
            return self._profile, PROFILE_OPTION
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
        if self._url:
            return self._url, "--url"
        if named := self.environ.get(URL_VARIABLE):
            return named, URL_VARIABLE
        return self.profile.url, f"profile {self.profile_name}"

    @cached_property
    def given(self) -> list[Offer]:
        """The credentials of the command line and the environment; the first one counts."""
        from holder import credentials

        return credentials.given(self._app_token, self.environ, self._token_of_job)

    @cached_property
    def offer(self) -> Offer:
        """The credential that counts, not looked at yet. Raises SignInNeeded."""
        from holder import credentials

        return credentials.find(self.given, lambda: self.profile, self.token_of)

    @cached_property
    def credential(self) -> Credential:
        """The one that counts. A profile's goes to the profile's issuer and to nobody else."""
        if self.offer.profile is not None:
            self._require_issuer_of(self.offer.profile)
        return self.offer.credential()

    def token(
        self,
        *,
        resource: str | None = None,
        scope: str | None = None,
        min_ttl: int | None = None,
        refused: str | None = None,
    ) -> IssuedToken:
        """Of the credential that counts.

        resource: whom it is for; without, the issuer's default. min_ttl: seconds that it lives at least, as
        far as the credential can give that. refused: one that is not accepted any more. Raises HolderError.
        """
        from holder import credentials

        if self.offer.is_sign_in:
            return self._token_of_sign_in(self.profile, resource, scope, min_ttl, refused)
        if self.offer.socket is not None:
            return self._ask_socket(self.offer.socket, resource, scope, refused)
        secret = self.credential.secret
        if isinstance(secret, credentials.Jwt):
            return secret.issued(self.credential.source, resource, scope)
        issuer = self.issuer_for(self.credential)
        if isinstance(secret, credentials.Ticket):
            return issuer.exchange_ticket(secret, resource=resource, scope=scope)
        return issuer.exchange(secret, resource=resource, scope=scope)

    def fresh_token(self, *, resource: str | None = None, scope: str | None = None) -> FreshToken:
        """As `token`, for hours. Each time the credential is looked for anew: its file may be another one."""
        from holder.fresh_token import FreshToken

        def ask(refused: str | None) -> IssuedToken:
            again = Holder(
                url=self._url, profile=self._profile, app_token=self._app_token, environ=self.environ
            )
            again.given = self.given  # one of them may be a pipe
            try:
                issued = again.token(resource=resource, scope=scope, refused=refused)
            finally:
                again.close()
            if issued.expires_in <= 0:
                raise SignInNeeded(
                    f"The token from {again.offer.source} has expired",
                    "it is a token, and nothing that gives another one",
                    "use a role key, or a file that somebody keeps fresh: hourmark exec -- CMD",
                    code="token_expired",
                )
            return issued

        return FreshToken(ask, watch=self._watch)

    def _watch(self, raw: str) -> Callable[[], bool]:
        from holder import revocations

        return revocations.watch(raw, None if self._chosen_url[0] is None else self.url)

    def token_of(self, kept: Profile) -> str:
        """Of a user's sign-in, for the issuer's own API. Raises HolderError."""
        return self._token_of_sign_in(kept, kept.url).access_token

    def _token_of_sign_in(
        self,
        kept: Profile,
        resource: str | None,
        scope: str | None = None,
        min_ttl: int | None = None,
        refused: str | None = None,
    ) -> IssuedToken:
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

    def _token_of_job(self, socket: str) -> str:
        """Of the job that this runs in, for the issuer's own API."""
        return self._ask_socket(socket, self.url).access_token

    def _ask_socket(
        self, socket: str, resource: str | None, scope: str | None = None, refused: str | None = None
    ) -> IssuedToken:
        from holder import local_endpoint

        return local_endpoint.ask(socket, resource=resource, scope=scope, is_fresh=refused is not None)

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
        if public:
            return self.issuer_for(None)
        issuer = self.issuer_for(self._for_its_api())
        if self.offer.gives_tokens:
            issuer.renew = self._renewed
        return issuer

    def _for_its_api(self) -> Credential:
        """A ticket is good for tokens alone."""
        from holder.credentials import Credential, Ticket

        if not isinstance(self.credential.secret, Ticket):
            return self.credential
        issued = self.token(resource=self.url)
        return Credential.parse(issued.access_token, self.credential.source)

    def _renewed(self) -> Credential:
        """Another token than the one that the issuer has just refused."""
        from holder.credentials import Credential

        issued = self.token(resource=self.url, refused=self.credential.bearer)
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

    def close(self) -> None:
        """Ends the connections that were opened."""
        for connection in self._opened:
            connection.close()
