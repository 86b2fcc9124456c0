"""What any service installs to accept Hourmark's tokens: offline, without blocking, through public keys."""

from verifier.claims import StatusReference, Token
from verifier.errors import DocumentError, InsufficientScope, InvalidClaim, TokenError, Unavailable
from verifier.permission import InvalidPermission, Permission
from verifier.scope import Scope
from verifier.trust import Trust
from verifier.verify import Verifier

__all__ = [
    "DocumentError",
    "InsufficientScope",
    "InvalidClaim",
    "InvalidPermission",
    "Permission",
    "Scope",
    "StatusReference",
    "Token",
    "TokenError",
    "Trust",
    "Unavailable",
    "Verifier",
]
