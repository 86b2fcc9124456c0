"""The management API: one file a noun, an operation a row."""

from issuer.api import audit, policies, role_keys, roles

OPERATIONS = (*roles.OPERATIONS, *role_keys.OPERATIONS, *policies.OPERATIONS, *audit.OPERATIONS)
