"""Jobs: programs that run as a role for a while."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from holder import answers
from holder.connection import Connection, path


class Jobs(Connection):
    """Each by its id."""

    def create_job(
        self, role: str, *, name: str | None, labels: Mapping[str, str], time_limit_seconds: int | None
    ) -> answers.NewJob:
        """Begins one; its ticket is in this answer alone."""
        body: dict[str, object] = {"role": role, "labels": dict(labels)}
        body |= {} if name is None else {"name": name}
        body |= {} if time_limit_seconds is None else {"time_limit_seconds": time_limit_seconds}
        return self._ask(answers.NewJob, "POST", path("jobs"), body)

    def jobs(self, *, state: str | None = None) -> Iterator[answers.Job]:
        """Those that the credential may look at."""
        return self._pages(answers.Job, path("jobs"), state=state)

    def job(self, job_id: str) -> answers.Job:
        """One of them."""
        return self._ask(answers.Job, "GET", path("jobs", job_id))

    def label_job(self, job_id: str, labels: Mapping[str, str]) -> answers.Job:
        """These are its labels from now on, beside those of the platform."""
        return self._ask(answers.Job, "PUT", path("jobs", job_id, "labels"), {"labels": dict(labels)})

    def end_job(self, job_id: str) -> answers.Job:
        """Ends it, with its ticket and its tokens."""
        return self._ask(answers.Job, "DELETE", path("jobs", job_id))
