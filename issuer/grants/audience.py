"""Which service a token is for: `resource` (RFC 8707) or `audience` (RFC 8693)."""

from __future__ import annotations

from collections.abc import Mapping

from issuer.denials import Denial
from issuer.settings import Settings


def asked_audience(settings: Settings, form: Mapping[str, str], default: str | None = None) -> str:
    """Without either the default; else the first of the settings. Raises Denial."""
    resource, audience = form.get("resource"), form.get("audience")
    accepted = settings.accepted_audiences
    asked = resource or audience or default or accepted[0]
    if audience not in (None, asked) or asked not in accepted:
        raise Denial(
            "invalid_target", f"`resource` names no service known here; known: {', '.join(accepted)}"
        )
    return asked
