"""Role keys, their tokens and the lists that verifiers hold, over years of a fake clock.

A model beside the store: what a token's holder may expect follows from what was done to its role key, never
from the status list. Each token is looked up in each list that a verifier may hold, as a verifier would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sqlmodel import col, select

from issuer.store import principals, role_keys, status_indices
from issuer.store.database import Database, Transaction
from issuer.store.status_indices import MAX_LATE_SECONDS, MAX_TOKEN_SECONDS
from issuer.store.tables import RoleKeyRow, Secret
from tests.issuer.store.databases import NOW, ROLE, add_key, delete_key, make_role, renew, role, write
from verifier import Permission


@dataclass(eq=False)
class Grant:
    """A secret with its index, as processes know it."""

    access: str
    index: int
    ends_at: int | None
    is_ended: bool = False
    """Whether its tokens must be refused from now on."""
    is_known_until: int = 0
    """Until when a process that is cut off may still issue for it as it was before."""
    was_to_end_at: int | None = None
    """What such a process takes for its end."""


@dataclass(frozen=True)
class IssuedToken:
    grant: Grant
    expires_at: int


@dataclass(frozen=True)
class HeldList:
    """A version as a verifier may hold it."""

    invalid: frozenset[int]
    expires_at: int


@dataclass
class World:
    database: Database
    list_lifetime: int = 3600
    now: int = NOW
    live: dict[tuple[int, int], Grant] = field(default_factory=dict)
    """By secret and index: what the database says now."""
    grants: list[Grant] = field(default_factory=list)
    tokens: list[IssuedToken] = field(default_factory=list)
    lists: dict[int, HeldList] = field(default_factory=dict)
    owners: dict[int, set[str]] = field(default_factory=dict)
    """Who ever had an index."""
    is_tidy: bool = True
    """Whether housekeeping has been done since time went on."""

    def __post_init__(self) -> None:
        make_role(self.database, now=self.now)
        self._observe()

    @property
    def reused(self) -> int:
        return sum(len(owners) > 1 for owners in self.owners.values())

    def sleep(self, seconds: int) -> None:
        """Time goes on while no issuer runs."""
        self.now += seconds
        self.is_tidy = False
        self.tokens = [token for token in self.tokens if token.expires_at > self.now]
        self.lists = {n: held for n, held in self.lists.items() if held.expires_at > self.now}
        # An unchanged list is signed again and again; at worst this moment.
        self._observe()

    def wait(self, seconds: int) -> None:
        self.sleep(seconds)
        self.tidy()

    def create(self, lifetime: int) -> None:
        """A role key; it never expires if its lifetime is 0."""
        expires_at = self.now + lifetime if lifetime else None
        self._change(lambda tx: add_key(tx, expires_at=expires_at), ())

    def issue(self, which: int) -> None:
        """A token as `mint` makes it."""
        live = [g for g in self.live.values() if g.ends_at is None or self.now < g.ends_at]
        if live:
            grant = live[which % len(live)]
            self._issue(grant, grant.ends_at)

    def issue_late(self, which: int) -> None:
        """A token from a process that has not learned yet what became of the secret."""
        known = [
            grant
            for grant in self.grants
            if self.now < grant.is_known_until
            and (grant.was_to_end_at is None or self.now < grant.was_to_end_at)
        ]
        if known:
            grant = known[which % len(known)]
            self._issue(grant, grant.was_to_end_at)

    def renew(self, which: int, grace: int) -> None:
        if access := self._access(which):
            self._change(lambda tx: renew(tx, access, grace=grace), () if grace else self._of(access))

    def delete(self, which: int) -> None:
        if access := self._access(which):
            self._change(lambda tx: delete_key(tx, access), self._of(access))

    def revoke(self, which: int) -> None:
        """RFC 7009: the tokens of one secret."""
        if self.live:
            grant = list(self.live.values())[which % len(self.live)]
            self._change(lambda tx: role_keys.end_tokens_at(tx, grant.access, grant.index), (grant,))

    def narrow(self) -> None:
        """Takes a policy from the role."""

        def work(tx: Transaction) -> None:
            policy = principals.add_policy(tx, ROLE, Permission.parse("job:get@*"))
            principals.delete_policy(tx, ROLE, policy.id)

        self._change(work, tuple(self.grants))

    def tidy(self) -> None:
        self._change(lambda tx: status_indices.advance(tx, list_lifetime=self.list_lifetime), ())
        self.is_tidy = True

    def check(self) -> None:
        newest = self.lists[max(self.lists)]
        for token in self.tokens:
            grant = token.grant
            if grant.is_ended:
                assert grant.index in newest.invalid, "a revoked token is taken for good"
            elif grant.ends_at is not None and self.now >= grant.ends_at:
                assert grant.index in newest.invalid or not self.is_tidy, (
                    "a token outlives the grace of its secret"
                )
            else:
                for number, held in self.lists.items():
                    assert grant.index not in held.invalid, f"version {number} refuses a good token"

    def _issue(self, grant: Grant, ends_at: int | None) -> None:
        latest = self.now + MAX_TOKEN_SECONDS
        self.tokens.append(IssuedToken(grant, latest if ends_at is None else min(latest, ends_at)))

    def _access(self, which: int) -> str | None:
        accesses = list(dict.fromkeys(grant.access for grant in self.live.values()))
        return accesses[which % len(accesses)] if accesses else None

    def _of(self, access: str) -> tuple[Grant, ...]:
        return tuple(grant for grant in self.grants if grant.access == access)

    def _change(self, work: Callable[[Transaction], object], ended: Iterable[Grant]) -> None:
        with write(self.database, self.now) as tx:
            work(tx)
        for grant in ended:
            grant.is_ended = True
        self._observe()

    def _observe(self) -> None:
        with self.database.read() as session:
            rows = session.exec(
                select(Secret, RoleKeyRow)
                .join(RoleKeyRow)
                .where(RoleKeyRow.principal_id == role(session).id)
                .order_by(col(Secret.id))
            ).all()
            number = status_indices.current_version(session).version
            invalid = frozenset(status_indices.set_indices(session))
        seen: dict[tuple[int, int], Grant] = {}
        for secret, key in rows:
            ends_at = min((at for at in (secret.ends_at, key.expires_at) if at is not None), default=None)
            self.owners.setdefault(secret.status_index, set()).add(f"{secret.id}")
            place = (secret.id, secret.status_index)
            grant = self.live.get(place) or Grant(secret.access, secret.status_index, ends_at)
            if grant.ends_at != ends_at:
                self._outlives(grant)
                grant.ends_at = ends_at
            seen[place] = grant
        for place in self.live.keys() - seen.keys():
            self._outlives(self.live[place])
        self.grants += [grant for place, grant in seen.items() if place not in self.live]
        self.live = seen
        if number in self.lists:
            assert self.lists[number].invalid == invalid, "the list changed without a new version"
        self.lists[number] = HeldList(invalid, self.now + self.list_lifetime)

    def _outlives(self, grant: Grant) -> None:
        grant.was_to_end_at, grant.is_known_until = grant.ends_at, self.now + MAX_LATE_SECONDS
