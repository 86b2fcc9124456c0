"""The management API: one file a noun, an operation a row."""

from issuer.api import (
    apps,
    audit,
    consents,
    invitations,
    jobs,
    memberships,
    policies,
    role_keys,
    roles,
    sign_ins,
    tokens,
    trust,
    users,
)

OPERATIONS = (
    *roles.OPERATIONS,
    *role_keys.OPERATIONS,
    *policies.OPERATIONS,
    *trust.OPERATIONS,
    *users.OPERATIONS,
    *memberships.OPERATIONS,
    *invitations.OPERATIONS,
    *sign_ins.OPERATIONS,
    *apps.OPERATIONS,
    *consents.OPERATIONS,
    *tokens.OPERATIONS,
    *jobs.OPERATIONS,
    *audit.OPERATIONS,
)
