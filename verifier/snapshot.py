"""The last good documents in a file, so that a restarted verifier knows what it knew.

They come back through the same checks as from the network, and as old as they are; with them comes the version
below which no list is accepted any more. Keys are believed on their own word, so the file must be the owner's.
"""

import json
import logging
import os
import tempfile
from pathlib import Path

from verifier import strict_json
from verifier.errors import DocumentError
from verifier.trust import Trust

logger = logging.getLogger(__name__)


def load(path: Path, trust: Trust, *, now: float) -> None:
    """Feeds the file's documents to `trust`. A broken or foreign file only costs a log line, a missing one nothing."""
    try:
        saved = strict_json.parse_object(_read(path))
        if saved.get("issuer") != trust.issuer:
            raise ValueError("it is another issuer's")
        jwks, updated_at, lists = (saved.get(name) for name in ("jwks", "keys_updated_at", "status_lists"))
        if not isinstance(jwks, str) or not isinstance(updated_at, int | float) or not isinstance(lists, list):
            raise ValueError("it lacks jwks, keys_updated_at or status_lists")
        trust.update_keys(jwks.encode(), now=min(updated_at, now))
        for document in lists:
            trust.update_status_list(str(document).encode(), now=now)
    except FileNotFoundError:
        return
    except (OSError, ValueError, DocumentError) as error:
        logger.warning("the verifier's cache %s was passed over: %s", path, error)


def save(path: Path, trust: Trust) -> None:
    """Replaces the file in one step; only its owner can read it. A failure only costs a log line."""
    saved = {
        "issuer": trust.issuer,
        "jwks": trust.jwks.decode(),
        "keys_updated_at": trust.keys_updated_at,
        "status_lists": [signed.document.decode() for signed in trust.lists.values()],
    }
    try:
        descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                json.dump(saved, file)
            Path(unfinished).replace(path)
        finally:
            Path(unfinished).unlink(missing_ok=True)
    except OSError as error:
        logger.warning("the verifier's cache %s could not be written: %s", path, error)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        owner = os.fstat(file.fileno()).st_uid
        # Whoever could put a file here beforehand would choose the keys. Root could anyway, and Windows says 0.
        if owner and owner != os.geteuid():
            raise ValueError("it belongs to somebody else")
        return file.read()
