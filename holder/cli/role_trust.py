"""The outside identities that a role trusts."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from holder.cli import raw_token
from holder.cli.errors import ERROR, NOT_PERMITTED
from holder.cli.options import noun, optional, parameters_of, taking, with_session
from holder.cli.session import Session, say
from holder.errors import UsageError

if TYPE_CHECKING:
    from holder.answers import TrustFinding, TrustVerdict

app = noun("Trust policies of a role: tokens of outside issuers that become the role's, with no secret.")
Role = Annotated[str, typer.Argument(metavar="ROLE")]
_CLAUSES: dict[str, object] = {
    "issuer": Annotated[
        str | None, typer.Option("--issuer", metavar="URL", help="The `iss` of the tokens, letter by letter.")
    ],
    "issuer_pattern": Annotated[
        str | None, typer.Option(metavar="P", help="Or a pattern: * is a part that crosses neither / nor :.")
    ],
    "subject": Annotated[
        str | None, typer.Option("--subject", metavar="S", help="The `sub` of the tokens, letter by letter.")
    ],
    "subject_pattern": Annotated[str | None, typer.Option(metavar="P", help="Or a pattern.")],
    "audience": Annotated[
        str | None, typer.Option(metavar="AUD", help="What `aud` must name. By default this issuer's URL.")
    ],
    "claim": Annotated[
        list[str] | None,
        typer.Option(
            "--claim", metavar="NAME=VALUE", help="A further claim, or /a/b within one. Again for more."
        ),
    ],
    "claim_pattern": Annotated[
        list[str] | None, typer.Option("--claim-pattern", metavar="NAME=P", help="The same, by a pattern.")
    ],
}
_COLUMNS = ("id", "issuer", "issuer_pattern", "subject", "subject_pattern", "audience", "claims")
_FINDING = ("policy", "level", "clause", "why", "instead")


def _with_clauses(command: Callable[..., None]) -> Callable[..., None]:
    """`command` with these options beside its own: they reach it as `clauses`, as the API names them."""

    @functools.wraps(command)
    def run(
        *arguments: object,
        claim: list[str] | None,
        claim_pattern: list[str] | None,
        **own: object,
    ) -> None:
        texts = {name: own.pop(name) for name in _CLAUSES if name in own}
        given = {name: text for name, text in texts.items() if text is not None}
        given |= {"claims": _pairs(claim, "--claim")} if claim else {}
        given |= {"claim_patterns": _pairs(claim_pattern, "--claim-pattern")} if claim_pattern else {}
        command(*arguments, clauses=given, **own)

    own = [each for each in parameters_of(command) if each.name != "clauses"]
    return taking(run, [*own, *optional(_CLAUSES)])


@app.command()
@with_session
@_with_clauses
def new(
    session: Session,
    role: Role,
    *,
    clauses: dict[str, object],
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is for.")] = None,
) -> None:
    """Let tokens of an outside issuer become the role's. A dangerous policy is refused with the reason.

    \b
    Examples:
      hourmark role trust new org.account.train --issuer https://oidc.cluster.example \\
        --subject system:serviceaccount:ml:train --claim /kubernetes.io/serviceaccount/uid=UID
      hourmark role trust new org.account.deploy --issuer https://token.actions.githubusercontent.com \\
        --subject repo:acme/app:environment:production --claim repository_id=74
    """
    from holder import answers

    view = session.view(answers.names(answers.TrustPolicy))
    described = {} if description is None else {"description": description}
    policy = session.issuer().create_trust_policy(role, clauses | described)
    item = asdict(policy)
    if view.is_plain:  # they follow as words
        del item["findings"]
    view.one(item)
    for finding in policy.findings:
        say(_words(finding))


@app.command("list")
@with_session
def list_(session: Session, role: Role) -> None:
    """Show the trust policies of a role.

    \b
    Example:
      hourmark role trust list org.account.train
    """
    from holder import answers

    view = session.view(answers.names(answers.TrustPolicy))
    view.many(map(asdict, session.issuer().trust_policies(role)), columns=_COLUMNS)


@app.command()
@with_session
def delete(
    session: Session,
    role: Role,
    policy: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it: trust_…")],
) -> None:
    """End a trust policy with all tokens that were got by it. Again it does nothing.

    \b
    Example:
      hourmark role trust delete org.account.train trust_0123456789abcdef
    """
    from holder import answers

    view = session.view(answers.names(answers.DeletedTrustPolicy))
    view.one(asdict(session.issuer().delete_trust_policy(role, policy)))


@app.command("test")
@with_session
def try_(session: Session, role: Role, raw: raw_token.Argument = None) -> None:
    """Say whether a role takes an outside token, and which clause fails (exit code 0 or 5).

    \b
    Examples:
      hourmark role trust test org.account.train - < /var/run/secrets/hourmark/token
      kubectl create token train --audience https://issuer.example | hourmark role trust test ROLE
    """
    from holder import answers

    view = session.view(answers.names(answers.TrustVerdict))
    text = raw_token.read(raw, f"hourmark role trust test {role} TOKEN")
    verdict = session.issuer().try_outside_token(role, text)
    view.one(asdict(verdict), plain="\n".join(_explained(verdict)))
    if not verdict.accepted:
        raise typer.Exit(NOT_PERMITTED)


@app.command()
@with_session
@_with_clauses
def lint(
    session: Session,
    role: Role,
    *,
    clauses: dict[str, object],
) -> None:
    """Say what is dangerous or doubtful about trust policies (exit code 1 if something is dangerous).

    With options as `new` has them: about a policy before it is made. Without: about those of the role.

    \b
    Examples:
      hourmark role trust lint org.account.train
      hourmark role trust lint org.account.train --issuer https://ci.example --subject-pattern "repo:acme/*"
    """
    view = session.view(_FINDING)
    found: list[tuple[str | None, TrustFinding]]
    none = "Nothing is dangerous or doubtful."
    if clauses:
        found = [(None, finding) for finding in session.issuer().lint_trust(role, clauses).findings]
    else:
        policies = list(session.issuer().trust_policies(role))
        found = [(policy.id, finding) for policy in policies for finding in policy.findings]
        none = none if policies else f"{role} has no trust policy: there is nothing to look over."
    view.many(({"policy": policy, **asdict(finding)} for policy, finding in found), none=none)
    if any(finding.level == "danger" for _, finding in found):
        raise typer.Exit(ERROR)


def _pairs(given: list[str], option: str) -> dict[str, str]:
    """Raises UsageError."""
    pairs: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise UsageError(
                f"{option} {text[:80]!r} is none", "it is NAME=VALUE", f"{option} repository_id=74"
            )
        if pairs.get(name, value) != value:
            raise UsageError(f"{option} {name} is given twice", "all have to hold", "make a policy for each")
        pairs[name] = value
    return pairs


def _words(finding: TrustFinding) -> str:
    return f"Doubtful: {finding.clause}: {finding.why}. Instead: {finding.instead}."


def _explained(verdict: TrustVerdict) -> Iterable[str]:
    if verdict.accepted:
        yield f"yes: {verdict.role} takes the token by {verdict.by}"
    else:
        yield f"no: no trust policy of {verdict.role} takes the token"
    policy = ""
    for check in verdict.checks:
        if check.policy != policy:
            policy = check.policy
            yield f"  {policy}"
        expected = f", expected {check.expected}, found {check.found or 'none'}" if check.expected else ""
        told = f"{expected}: {check.reason}" if check.reason else ""
        yield f"    {check.clause} {check.outcome}{told if check.outcome != 'holds' else ''}"
