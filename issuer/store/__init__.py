"""The only room that knows SQL: tables, queries, migrations."""
