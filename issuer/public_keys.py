"""The public keys in a file, for verifiers without network."""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keys import PublicKey

_READABLE_BY_ALL = 0o644


def to_pem(jwks: bytes) -> bytes:
    """The keys of a JWKS as SubjectPublicKeyInfo (RFC 7468), each behind a line with its `kid`."""
    return b"".join(
        f"# kid={key.kid} alg={jwk['alg']}\n".encode()
        + key.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        for jwk in json.loads(jwks)["keys"]
        for key in [PublicKey.from_jwk(jwk)]
    )


def replace_file(path: Path, document: bytes) -> None:
    """Whoever reads `path` finds the old document or the new one, never a part. Raises OSError."""
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
            try:
                file.write(document)
                file.flush()
                os.fchmod(file.fileno(), _READABLE_BY_ALL)
                os.fsync(file.fileno())
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink()
                raise
    except OSError as error:
        # The name of the file beside it would mean nothing to anybody.
        raise OSError(error.errno, error.strerror, str(path)) from error
