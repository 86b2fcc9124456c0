"""The management API: one file a noun, an operation a row."""

from issuer.api import audit, invitations, memberships, policies, role_keys, roles, users

OPERATIONS = (
    *roles.OPERATIONS,
    *role_keys.OPERATIONS,
    *policies.OPERATIONS,
    *users.OPERATIONS,
    *memberships.OPERATIONS,
    *invitations.OPERATIONS,
    *audit.OPERATIONS,
)
