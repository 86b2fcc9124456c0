"""Which service a token is for: `resource` (RFC 8707) or `audience` (RFC 8693)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from issuer.denials import Denial
from issuer.settings import Settings


def asked_audience(
    settings: Settings, form: Mapping[str, str], default: str | None = None, *within: Collection[str]
) -> str:
    """Without either parameter the default; else the first that may be. Raises Denial.

    within: what each credential behind it was made for, if that is not every service.
    """
    resource, audience = form.get("resource"), form.get("audience")
    bounds = [bound for bound in within if bound]
    accepted: Sequence[str] = settings.accepted_audiences
    if bounds:
        accepted = [each for each in accepted if all(each in bound for bound in bounds)]
    asked = resource or audience or default or (accepted[0] if accepted else "")
    if audience not in (None, asked) or asked not in accepted:
        wrong = "is none of those that this credential is for" if bounds else "names no service known here"
        raise Denial("invalid_target", f"`resource` {wrong}: {', '.join(accepted) or 'there is none'}")
    return asked
