from __future__ import annotations

from tests.issuer.store import databases

database = databases.database
database_url = databases.database_url
