"""Passkeys (WebAuthn): made for this issuer's host, found by the authenticator without a user name, and used
only after that has verified its user, by a finger or a PIN.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sqlmodel import Session
from starlette.requests import Request
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from issuer.browser import Browser
from issuer.service import Service
from issuer.setting_values import is_address
from issuer.settings import Settings
from issuer.signing_in import challenges
from issuer.store import passkeys
from issuer.store.database import StoreUnavailable, Transaction
from issuer.store.tables import PasskeyRow, Principal
from issuer.store.users import User
from issuer.telemetry import source

METHODS = ("pop", "user", "mfa")
"""RFC 8176: a key that was used after its user was verified."""
_ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
USUAL_NAME = "Passkey"
_SIGN_IN = "sign in"


class PasskeyRefused(Exception):
    """It cannot be used here, or not any more. One text for every reason."""

    def __init__(self) -> None:
        super().__init__("That passkey could not be used. Try again, or go on another way.")


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """What an authenticator made for a user."""

    credential_id: bytes
    public_key: bytes
    sign_count: int

    def add(self, tx: Transaction, user: Principal, name: str) -> None:
        """From now on the user signs in by it. Raises Conflict."""
        passkeys.add(
            tx,
            user,
            credential_id=self.credential_id,
            public_key=self.public_key,
            sign_count=self.sign_count,
            name=name,
        )


@dataclass(frozen=True, slots=True)
class Proof:
    """A passkey that was used a moment ago."""

    row: PasskeyRow
    sign_count: int = field(repr=False)


def host(settings: Settings) -> str | None:
    """What passkeys are bound to; None where there can be none: at an address instead of a name."""
    name = urlsplit(settings.issuer_url).hostname or ""
    return None if is_address(name) else name


def _required_host(settings: Settings) -> str:
    """Raises PasskeyRefused."""
    own_host = host(settings)
    if own_host is None:
        raise PasskeyRefused
    return own_host


def options_to_register(
    service: Service, browser: Browser, user: User, known: list[PasskeyRow]
) -> str | None:
    """What the page asks an authenticator for, as JSON; None where there are no passkeys."""
    own_host = host(service.settings)
    if own_host is None:
        return None
    return options_to_json(
        generate_registration_options(
            rp_id=own_host,
            rp_name="Hourmark",
            user_id=_handle(user.principal.id),
            user_name=user.name,
            user_display_name=user.account.display_name or user.name,
            challenge=_challenge(service, browser, _registration(user)),
            timeout=challenges.LIFETIME * 1000,
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=row.credential_id) for row in known],
            supported_pub_key_algs=_ALGORITHMS,
        )
    )


def options_to_sign_in(service: Service, browser: Browser) -> str | None:
    """The same for any passkey of this host, whoever's it is."""
    own_host = host(service.settings)
    if own_host is None:
        return None
    return options_to_json(
        generate_authentication_options(
            rp_id=own_host,
            challenge=_challenge(service, browser, _SIGN_IN),
            timeout=challenges.LIFETIME * 1000,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def read_new(service: Service, browser: Browser, user: User, credential: str) -> NewPasskey:
    """The passkey that an authenticator made for the options above. Raises PasskeyRefused."""
    try:
        parsed = parse_registration_credential_json(credential)
        verified = verify_registration_response(
            credential=parsed,
            expected_challenge=_own_challenge(
                service, browser, _registration(user), parsed.response.client_data_json
            ),
            expected_rp_id=_required_host(service.settings),
            expected_origin=service.settings.origin,
            require_user_presence=True,
            require_user_verification=True,
            supported_pub_key_algs=_ALGORITHMS,
        )
    except Exception:  # noqa: BLE001 - the library's parsers raise whatever they stumble over
        raise PasskeyRefused from None
    return NewPasskey(verified.credential_id, verified.credential_public_key, verified.sign_count)


async def prove(service: Service, request: Request, browser: Browser, credential: str) -> Proof:
    """Whose passkey it is. Raises PasskeyRefused, or Denial after too many of them."""
    try:
        parsed = parse_authentication_credential_json(credential)
        challenge = _own_challenge(service, browser, _SIGN_IN, parsed.response.client_data_json)
        row = await service.read(lambda session: _find(session, parsed.raw_id))
        if row is None or parsed.response.user_handle != _handle(row.user_id):
            raise PasskeyRefused
        verified = verify_authentication_response(
            credential=parsed,
            expected_challenge=challenge,
            expected_rp_id=_required_host(service.settings),
            expected_origin=service.settings.origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )
    except StoreUnavailable:
        raise
    except Exception:  # noqa: BLE001 - the library's parsers raise whatever they stumble over
        raise service.throttle.failed(source(request.scope), PasskeyRefused()) from None
    return Proof(row, verified.new_sign_count)


def _find(session: Session, credential_id: bytes) -> PasskeyRow | None:
    row = passkeys.find(session, credential_id)
    session.expunge_all()
    return row


def _challenge(service: Service, browser: Browser, purpose: str) -> bytes:
    return challenges.make(browser, purpose, service.credentials.hash_key.key, int(time.time()))


def _own_challenge(service: Service, browser: Browser, purpose: str, client_data: bytes) -> bytes:
    """The challenge that was signed, if it is ours. Raises PasskeyRefused."""
    challenge = parse_client_data_json(client_data).challenge
    if not challenges.is_good(
        challenge, browser, purpose, service.credentials.hash_key.key, int(time.time())
    ):
        raise PasskeyRefused
    return challenge


def _registration(user: User) -> str:
    return f"register {user.principal.id}"


def _handle(user_id: int) -> bytes:
    """What authenticators know a user by: nothing personal (WebAuthn section 14.6.1)."""
    return str(user_id).encode()
