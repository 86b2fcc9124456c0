"""What a registry is given, in files: whom it trusts, and the part of its settings that says so.

One set serves versions 2.8 and 3, and both modes of trust: 2.8 reads certificates alone, 3 finds keys by
their `kid` in the JWKS only (3.0 takes all keys in certificates for one), and 2.8 passes over what it does
not know. Registries read files when they start: keys that sign later are in them already.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

import yaml
from cryptography.hazmat.primitives.serialization import Encoding

from issuer.registry import certificate_authority
from issuer.rotation import REGISTRY_ALGORITHM
from issuer.settings import Settings
from issuer.signing import SigningKeys, Standing
from issuer.store.signing_keys import REGISTRY, REGISTRY_CA
from keys import Phase

CONFIG, BUNDLE, JWKS = "config.yml", "bundle.pem", "jwks.json"
_PUBLIC = (Phase.NEXT, Phase.CURRENT, Phase.RETIRING)


@dataclass(frozen=True, slots=True)
class TrustFiles:
    """Their contents, by name."""

    config: bytes
    bundle: bytes
    jwks: bytes

    def by_name(self) -> Mapping[str, bytes]:
        """In the order in which they may be written: the settings name the other two."""
        return {BUNDLE: self.bundle, JWKS: self.jwks, CONFIG: self.config}


def trust_files(
    settings: Settings, signing: SigningKeys, service: str, folder: PurePath, now: int
) -> TrustFiles:
    """For the registry that calls itself `service` and finds its files in `folder`."""
    public = [each for each in signing.standings(now) if each.phase in _PUBLIC]
    authorities = [each for each in public if each.ring == REGISTRY_CA]
    signers = [each for each in public if each.ring == REGISTRY]
    return TrustFiles(
        config=_config(settings, service, folder),
        bundle=_bundle(authorities, signers),
        jwks=json.dumps({"keys": [_jwk(each) for each in signers]}, indent=2).encode() + b"\n",
    )


def realm(settings: Settings) -> str:
    """Where a registry sends its clients for tokens."""
    return f"{settings.issuer_url}/v1/registry/token"


def _config(settings: Settings, service: str, folder: PurePath) -> bytes:
    token = {
        "realm": realm(settings),
        "service": service,
        "issuer": settings.issuer_url,
        "rootcertbundle": str(folder / BUNDLE),
        # Version 2.8 passes over what follows. By default version 3 takes symmetric algorithms too.
        "jwks": str(folder / JWKS),
        "signingalgorithms": [REGISTRY_ALGORITHM],
    }
    comment = "# This goes into the registry's config.yml, in place of any other `auth`. Then restart it.\n"
    return (comment + yaml.safe_dump({"auth": {"token": token}}, sort_keys=False)).encode()


def _bundle(authorities: Iterable[Standing], signers: Iterable[Standing]) -> bytes:
    certificates = [
        *(certificate_authority.authority(each.key, each.row.published_at) for each in authorities),
        *(certificate_authority.by_itself(each.key, each.row.published_at) for each in signers),
    ]
    return b"".join(
        f"# {each.subject.rfc4514_string()}\n".encode() + each.public_bytes(Encoding.PEM)
        for each in certificates
    )


def _jwk(standing: Standing) -> dict[str, str]:
    return standing.key.public_jwk | {"kid": certificate_authority.key_id(standing.key)}
