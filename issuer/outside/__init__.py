"""Outside identities: which tokens of other issuers a role takes, and why not."""
