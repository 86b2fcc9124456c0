"""The management API: one file a noun, an operation a row."""

from issuer.api import (
    apps,
    audit,
    consents,
    hygiene,
    invitations,
    jobs,
    memberships,
    policies,
    role_keys,
    roles,
    sign_ins,
    signing_keys,
    token_activity,
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
    *token_activity.OPERATIONS,
    *jobs.OPERATIONS,
    *hygiene.OPERATIONS,
    *signing_keys.OPERATIONS,
    *audit.OPERATIONS,
)
