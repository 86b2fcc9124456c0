"""The management API: one file a noun, an operation a row."""

from issuer.api import apps, audit, invitations, memberships, policies, role_keys, roles, users

OPERATIONS = (
    *roles.OPERATIONS,
    *role_keys.OPERATIONS,
    *policies.OPERATIONS,
    *users.OPERATIONS,
    *memberships.OPERATIONS,
    *invitations.OPERATIONS,
    *apps.OPERATIONS,
    *audit.OPERATIONS,
)
