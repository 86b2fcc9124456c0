"""The issuer's HTTP API, typed. Every method may raise HolderError and nothing else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from typing import TypeVar
from urllib.parse import quote, quote_plus

import httpx

from holder import answers, refusals
from holder.credentials import Credential
from holder.errors import SignInNeeded, UsageError
from keys import RoleKey

_TIMEOUT = httpx.Timeout(15, connect=5)
_PAGE = 100
A = TypeVar("A")


class Issuer:
    """One issuer, spoken to with one credential (or none, for what is public)."""

    def __init__(self, url: str, credential: Credential | None = None) -> None:
        """url: as `issuer_url.parse` gives it."""
        self.url = url
        self.credential = credential
        self.renew: Callable[[], Credential] | None = None
        """Another credential for one that the issuer refuses, once: a token that was ended is no sign-out."""
        self._http = httpx.Client(
            headers={"User-Agent": f"hourmark/{version('hourmark')}"},
            timeout=_TIMEOUT,
            trust_env=url.startswith("https"),  # plain http stays on this host, past any proxy
            follow_redirects=False,  # a redirect would carry the credential to another host
        )

    def close(self) -> None:
        """Ends its connections."""
        self._http.close()

    def me(self) -> answers.Me:
        """Who the credential is."""
        return self._ask(answers.Me, "GET", "/v1/me")

    def exchange(
        self, role_key: RoleKey, *, resource: str | None = None, scope: str | None = None
    ) -> answers.IssuedToken:
        """A token for a role key (RFC 6749 section 4.4; `resource` is the audience, RFC 8707)."""
        # Both halves are form-encoded before they are joined (RFC 6749 section 2.3.1).
        pair = f"{quote_plus(role_key.access)}:{quote_plus(role_key.secret)}"
        asked = {"grant_type": "client_credentials", "resource": resource, "scope": scope}
        answer = self._send(
            "POST",
            "/v1/token",
            authorization="Basic " + b64encode(pair.encode()).decode(),
            data={name: value for name, value in asked.items() if value is not None},
        )
        return self._read(answer, lambda json: answers.read(answers.IssuedToken, json))

    def create_role(self, name: str) -> answers.Role:
        """A new role. Its name can never be used again once it is deleted."""
        return self._ask(answers.Role, "POST", "/v1/roles", {"name": name})

    def roles(self, *, prefix: str | None = None) -> Iterator[answers.Role]:
        """The roles that the credential may see, or those of them whose names begin with `prefix`."""
        return self._pages(answers.Role, "/v1/roles", prefix=prefix)

    def role(self, name: str) -> answers.Role:
        """One role."""
        return self._ask(answers.Role, "GET", _path("roles", name))

    def delete_role(self, name: str) -> answers.DeletedRole:
        """Ends a role with its keys and their tokens."""
        return self._ask(answers.DeletedRole, "DELETE", _path("roles", name))

    def create_role_key(
        self, role: str, *, name: str | None = None, scope: str | None = None, expires_at: str | None = None
    ) -> answers.NewRoleKey:
        """A new role key. Its secret is in this answer and nowhere else."""
        asked = {"name": name, "scope": scope, "expires_at": expires_at}
        body = {member: value for member, value in asked.items() if value is not None}
        return self._ask(answers.NewRoleKey, "POST", _path("roles", role, "keys"), body)

    def role_keys(self, role: str, *, state: str | None = None) -> Iterator[answers.ListedRoleKey]:
        """The keys of a role; `state` is `active` or `expired`, None for both."""
        return self._pages(answers.ListedRoleKey, _path("roles", role, "keys"), state=state)

    def renew_role_key(
        self, role: str, access: str, *, grace_seconds: int | None = None
    ) -> answers.NewRoleKey:
        """A new secret for the same access id; the old one works on for `grace_seconds`."""
        body = {} if grace_seconds is None else {"grace_seconds": grace_seconds}
        return self._ask(answers.NewRoleKey, "POST", _path("roles", role, "keys", access, "renew"), body)

    def delete_role_key(self, role: str, access: str) -> answers.DeletedRoleKey:
        """Ends a role key and its tokens."""
        return self._ask(answers.DeletedRoleKey, "DELETE", _path("roles", role, "keys", access))

    def create_policy(self, role: str, permission: str) -> answers.Policy:
        """Gives a role one more permission."""
        body = {"permission": permission}
        return self._ask(answers.Policy, "POST", _path("roles", role, "policies"), body)

    def policies(self, role: str) -> Iterator[answers.Policy]:
        """The permissions of a role."""
        return self._pages(answers.Policy, _path("roles", role, "policies"))

    def delete_policy(self, role: str, policy_id: int) -> answers.DeletedPolicy:
        """Takes a permission from a role, and from all its tokens."""
        return self._ask(answers.DeletedPolicy, "DELETE", _path("roles", role, "policies", str(policy_id)))

    def create_user(
        self, name: str, *, display_name: str | None = None, email: str | None = None
    ) -> answers.User:
        """A new user, who holds no role yet. The name can never be used again once the user is deleted."""
        asked = {"name": name, "display_name": display_name, "email": email}
        body = {member: value for member, value in asked.items() if value is not None}
        return self._ask(answers.User, "POST", "/v1/users", body)

    def users(self, *, prefix: str | None = None, state: str | None = None) -> Iterator[answers.User]:
        """The users that the credential may see; `state` is `active` or `disabled`, None for both."""
        return self._pages(answers.User, "/v1/users", prefix=prefix, state=state)

    def user(self, name: str) -> answers.User:
        """One user."""
        return self._ask(answers.User, "GET", _path("users", name))

    def disable_user(self, name: str) -> answers.User:
        """Nothing of this user opens anything until the user is enabled."""
        return self._ask(answers.User, "POST", _path("users", name, "disable"))

    def enable_user(self, name: str) -> answers.User:
        """Keys of this user work again."""
        return self._ask(answers.User, "POST", _path("users", name, "enable"))

    def delete_user(self, name: str) -> answers.DeletedUser:
        """Ends a user with all keys and their tokens."""
        return self._ask(answers.DeletedUser, "DELETE", _path("users", name))

    def invite_user(self, name: str, *, seconds: int | None = None) -> answers.Invitation:
        """A link by which the user sets up how to sign in, once; it is in this answer and nowhere else."""
        body = {} if seconds is None else {"expires_in": seconds}
        return self._ask(answers.Invitation, "POST", _path("users", name, "invitations"), body)

    def give_role(self, user: str, role: str) -> answers.Membership:
        """The user may what the role may, from now on."""
        return self._ask(answers.Membership, "POST", _path("users", user, "roles"), {"role": role})

    def roles_of(self, user: str) -> Iterator[answers.Membership]:
        """The roles that a user holds."""
        return self._pages(answers.Membership, _path("users", user, "roles"))

    def take_role(self, user: str, role: str) -> answers.TakenRole:
        """Takes a role from a user, and from all tokens of the user."""
        return self._ask(answers.TakenRole, "DELETE", _path("users", user, "roles", role))

    def register_app(self, body: Mapping[str, object]) -> answers.RegisteredApp:
        """A new app. Its secret, if it has one, is in this answer and nowhere else."""
        return self._ask(answers.RegisteredApp, "POST", "/v1/apps", body)

    def apps(self) -> Iterator[answers.App]:
        """The apps that the credential may see."""
        return self._pages(answers.App, "/v1/apps")

    def app(self, name: str) -> answers.App:
        """One app."""
        return self._ask(answers.App, "GET", _path("apps", name))

    def update_app(self, name: str, body: Mapping[str, object]) -> answers.App:
        """Changes what is registered."""
        return self._ask(answers.App, "PATCH", _path("apps", name), body)

    def renew_app_secret(self, name: str) -> answers.RegisteredApp:
        """A new secret; the one before is no good any more."""
        return self._ask(answers.RegisteredApp, "POST", _path("apps", name, "secret"))

    def delete_app(self, name: str) -> answers.DeletedApp:
        """Ends an app, with everything that users let it have."""
        return self._ask(answers.DeletedApp, "DELETE", _path("apps", name))

    def jwks(self) -> bytes:
        """The public keys, as they came."""
        return self._send("GET", "/.well-known/jwks.json").content

    def status_list(self, number: int) -> bytes:
        """A status list, as it came."""
        return self._send("GET", f"/status/{number}", accept="application/statuslist+jwt").content

    def _ask(self, kind: type[A], method: str, path: str, body: Mapping[str, object] | None = None) -> A:
        answer = self._send_as_caller(method, path, json=body)
        return self._read(answer, lambda json: answers.read(kind, json))

    def _pages(self, kind: type[A], path: str, **filters: str | None) -> Iterator[A]:
        chosen = {name: value for name, value in filters.items() if value is not None}
        cursor = ""
        while True:
            params = {"limit": str(_PAGE)} | chosen | ({"cursor": cursor} if cursor else {})
            answer = self._send_as_caller("GET", path, params=params)
            items, following = self._read(answer, lambda json: answers.read_page(kind, json))
            yield from items
            # A cursor that leads back to itself would be followed for ever.
            if following is None or following == cursor:
                return
            cursor = following

    def _send_as_caller(
        self, method: str, path: str, *, json: object = None, params: Mapping[str, str] | None = None
    ) -> httpx.Response:
        try:
            return self._send(method, path, authorization=self._bearer(), json=json, params=params)
        except SignInNeeded:
            if self.renew is None or self.credential is None:
                raise
            renew, self.renew = self.renew, None
            self.credential = renew()
            return self._send(method, path, authorization=self._bearer(), json=json, params=params)

    def _bearer(self) -> str:
        if self.credential is None:
            raise UsageError("No credential", "this request needs one", "hourmark login")
        return f"Bearer {self.credential.bearer}"

    def _send(
        self,
        method: str,
        path: str,
        *,
        authorization: str | None = None,
        accept: str = "application/json",
        json: object = None,
        data: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        headers = {"Accept": accept} | ({} if authorization is None else {"Authorization": authorization})
        try:
            answer = self._http.request(
                method, self.url + path, headers=headers, json=json, data=data, params=params
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise refusals.no_answer(self.url, error) from None
        if answer.status_code not in (200, 201):
            raise refusals.refusal(answer, self.url, self.credential)
        return answer

    def _read(self, answer: httpx.Response, read: Callable[[object], A]) -> A:
        try:
            return read(answer.json())
        except ValueError as error:
            why = str(error) if isinstance(error, answers.MalformedAnswer) else "the answer is not JSON"
            raise refusals.not_an_issuer(self.url, why) from None


def _path(*segments: str) -> str:
    """`/v1/…` with each segment quoted. Raises UsageError for one that a URL cannot hold as a segment."""
    for segment in segments:
        if not segment.strip("."):
            raise UsageError(f"{segment!r} is no name", "it has at least one letter or digit")
    return "/v1/" + "/".join(quote(segment, safe="") for segment in segments)
