"""The last good documents in a file, so that a restarted verifier knows what it knew.

They come back through the same checks as from the network, and are as old as they are; with them comes the
version below which no list is accepted any more. Keys are believed without proof, so the file must be ours.
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
    """Feeds the file's documents to `trust`. A broken or foreign file only costs a log line."""
    try:
        match strict_json.parse_object(_read(path)):
            case {
                "issuer": trust.issuer,
                "jwks": str(jwks),
                "keys_updated_at": int() | float() as updated_at,
                "status_lists": list(status_lists),
                "floors": dict(floors),
            }:
                for uri, (version, issued_at) in floors.items():
                    trust.raise_floor(uri, (int(version), int(issued_at)))
                trust.update_keys(jwks.encode(), now=min(updated_at, now))
                for document in status_lists:
                    trust.update_status_list(str(document).encode(), now=now)
            case _:
                raise ValueError("it is another issuer's, or something is missing")
    except FileNotFoundError:
        return
    except (OSError, TypeError, ValueError, DocumentError) as error:
        logger.warning("the verifier's cache %s was passed over: %s", path, error)


def save(path: Path, trust: Trust) -> None:
    """Replaces the file in one step; only its owner can read it. A failure only costs a log line."""
    saved = {
        "issuer": trust.issuer,
        "jwks": trust.jwks.decode(),
        "keys_updated_at": trust.keys_updated_at,
        "floors": dict(trust.floors),
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
        # Whoever puts a file here first chooses the keys. Root could anyway, and is 0, as all are on Windows.
        if owner and owner != os.geteuid():
            raise ValueError("it belongs to somebody else")
        return file.read()
