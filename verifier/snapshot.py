"""The last good documents in a file, so that a restarted verifier knows what it knew.

They come back through the same checks as from the network; with them comes the version below which no list
is accepted any more.
"""

import json
import logging
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from verifier import strict_json
from verifier.errors import DocumentError
from verifier.trust import Trust

logger = logging.getLogger(__name__)


def load(path: Path, trust: Trust, *, now: float) -> None:
    """Feeds the file's documents to `trust`. A missing, broken or foreign file only costs a log line."""
    try:
        saved = strict_json.parse_object(path.read_bytes())
        if saved.get("issuer") != trust.issuer:
            raise ValueError("it is another issuer's")
        jwks, lists = saved.get("jwks"), saved.get("status_lists")
        if not isinstance(jwks, str) or not isinstance(lists, list):
            raise ValueError("it lacks jwks or status_lists")
        trust.update_keys(jwks.encode(), now=now)
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
        "status_lists": [signed.document.decode() for signed in trust.lists.values()],
    }
    try:
        descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        try:
            with os.fdopen(descriptor, "w") as file:
                json.dump(saved, file)
            Path(unfinished).replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(unfinished).unlink()
            raise
    except OSError as error:
        logger.warning("the verifier's cache %s could not be written: %s", path, error)
