"""The management API as its holders see it: one file a noun."""
