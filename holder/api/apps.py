"""Apps: OAuth clients that somebody registered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from holder import answers
from holder.connection import Connection, path


class Apps(Connection):
    """What users sign in at, and what acts for them."""

    def register_app(self, body: Mapping[str, object]) -> answers.RegisteredApp:
        """A new app. Its secret, if it has one, is in this answer and nowhere else."""
        return self._ask(answers.RegisteredApp, "POST", "/v1/apps", body)

    def apps(self) -> Iterator[answers.App]:
        """The apps that the credential may see."""
        return self._pages(answers.App, "/v1/apps")

    def app(self, name: str) -> answers.App:
        """One app."""
        return self._ask(answers.App, "GET", path("apps", name))

    def update_app(self, name: str, body: Mapping[str, object]) -> answers.App:
        """Changes what is registered."""
        return self._ask(answers.App, "PATCH", path("apps", name), body)

    def renew_app_secret(self, name: str) -> answers.RegisteredApp:
        """A new secret; the one before is no good any more."""
        return self._ask(answers.RegisteredApp, "POST", path("apps", name, "secret"))

    def delete_app(self, name: str) -> answers.DeletedApp:
        """Ends an app, with everything that users let it have."""
        return self._ask(answers.DeletedApp, "DELETE", path("apps", name))
