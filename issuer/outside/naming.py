"""What is known of the names in outside tokens: whose they are, who chooses them, which can be given up.

Claims are by their name, or by JSON Pointer to what is inside one.
"""

from __future__ import annotations

from dataclasses import dataclass

from issuer.outside.pattern import WILDCARD, split

_ACCOUNT = "/kubernetes.io/serviceaccount/uid"
SHARED = frozenset(
    {
        "https://token.actions.githubusercontent.com",
        "https://gitlab.com",
        "https://app.terraform.io",
        "https://agent.buildkite.com",
    }
)
"""Issuers at which strangers have tokens too, and choose much of what they say."""
MUTABLE = {
    "repository": "repository_id",
    "repository_owner": "repository_owner_id",
    "actor": "actor_id",
    "project_path": "project_id",
    "namespace_path": "namespace_id",
    "user_login": "user_id",
    "user_email": "user_id",
    "email": "sub",
    "preferred_username": "sub",
    "upn": "oid",
    "name": "sub",
    "nickname": "sub",
    "username": "sub",
    "user_name": "sub",
    "login": "sub",
    "repository_name": "repository_id",
    "/kubernetes.io/namespace": _ACCOUNT,
    "/kubernetes.io/serviceaccount/name": _ACCOUNT,
}
"""Claims that can be given up and taken by another, and those that cannot."""
CIRCUMSTANCES = frozenset(
    {
        *("ref", "ref_path", "head_ref", "base_ref", "branch", "build_branch", "tag", "environment"),
        *("workflow", "workflow_ref", "job_workflow_ref", "event_name", "pipeline_source"),
        *("group", "groups", "teams"),
    }
)
"""Claims that say what something runs for, or to whom somebody belongs now, and not who it is."""
_VOUCHED_FOR = frozenset({"ref_protected", "environment_protected"})
"""Claims by which an issuer says that not everybody can bring about such circumstances."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Subjects that are made of names, as some issuers write them."""

    beginning: str
    ids: tuple[str, ...] = ()
    """Claims of which one binds it to what the names stood for when the policy was made."""
    is_shared: bool = True
    """Whether strangers have subjects at the same issuer."""
    is_dotted: bool = False
    """Whether whose it is stands before the first dot, else before the next / or :."""

    @property
    def _whose(self) -> int:
        """Which segment says whose it is."""
        return len(split(self.beginning)[::2]) - 1

    def leaves_open_whose(self, segments: tuple[str, ...]) -> bool:
        """Whether a pattern of these segments takes the names of more than one owner."""
        owner = segments[self._whose]
        if self.is_dotted:
            owner = owner.partition(".")[0] or WILDCARD
        return WILDCARD in owner

    def leaves_open_all(self, segments: tuple[str, ...]) -> bool:
        """Whether nothing is written out behind the beginning."""
        return not any(part.strip(WILDCARD) for part in segments[self._whose :])

    def behind_owner(self, segments: tuple[str, ...]) -> tuple[str, ...]:
        return segments[self._whose + 1 :]


_OF_REPOSITORIES = ("repo", "repository", "repository_owner", "workflow_ref", "job_workflow_ref")
SHAPES = (
    *(Shape(f"{kind}:", ids=("repository_id", "repository_owner_id")) for kind in _OF_REPOSITORIES),
    Shape("project_path:", ids=("project_id", "namespace_id")),
    Shape("organization:", ids=("terraform_organization_id", "terraform_workspace_id", "organization_id")),
    Shape("system:serviceaccount:", ids=(_ACCOUNT,), is_shared=False),
    # A Hourmark's: names are never used again there.
    Shape("role:", is_dotted=True),
    Shape("user:"),
    Shape("spiffe://"),
)
IDS = (frozenset(MUTABLE.values()) - {"sub"}) | {claim for shape in SHAPES for claim in shape.ids}
"""Claims that nobody else gets one day."""
STAYS = IDS | _VOUCHED_FOR
"""Claims that tell apart what a pattern takes, and that whoever it takes cannot choose."""
_NAMES = frozenset(
    {"account", "accounts", "users", "username", "login", "email", "mail", "mailto", "acct", "nickname"}
)
"""What subjects begin with that go on with a name that its bearer, or an administrator, can change."""


def shape_of(subject: str) -> Shape | None:
    """The first one that it has."""
    return next((shape for shape in SHAPES if subject.startswith(shape.beginning)), None)


def is_changeable(subject: str) -> bool:
    """Whether it looks like a name or an e-mail address that somebody else can have one day.

    `ID@clients` is how one widespread provider writes the id of a client.
    """
    *kinds, name = split(subject)[::2]
    return any(kind in _NAMES for kind in kinds[:1]) or ("@" in name and not name.endswith("@clients"))


def is_circumstance(subject: str) -> bool:
    """Whether it says what something runs for and not whose it is: some issuers let subjects be composed."""
    first, *others = split(subject)[:-1:2] or ("",)
    says_whose = {*_OF_REPOSITORIES, *MUTABLE, *IDS}
    return first in CIRCUMSTANCES - says_whose and not says_whose & set(others)
