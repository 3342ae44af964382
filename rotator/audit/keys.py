"""The Ed25519 key of an instance: it signs the checkpoints of its exports, and anybody may have its public half.

The library is loaded where somebody signs or verifies, never by `status`.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

from rotator.core.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SIZE: Final = 32
"""Bytes of a seed and of a public key (RFC 8032 section 5.1.5)."""


class Signer:
    """The private key."""

    def __init__(self, seed: bytes) -> None:
        """`seed`: 32 bytes from which the key is made; the same seed is the same key."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    def sign(self, content: bytes) -> bytes:
        """Return the 64 bytes of the signature."""
        return self._key.sign(content)

    @property
    def public(self) -> str:
        """The public key, base64 of its 32 bytes."""
        return base64.b64encode(self._key.public_key().public_bytes_raw()).decode()


def pem(public: str) -> str:
    """Return a public key in PEM (SubjectPublicKeyInfo, RFC 8410), as `openssl pkey -pubin` reads it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return _public(public).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def public_of(text: str, where: str) -> str:
    """Return the public key that a file holds, in PEM or as base64 of its 32 bytes.

    Raises:
        ConfigError: it holds none; `where` names it.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        if "-----BEGIN" not in text:
            return base64.b64encode(_public(text.strip()).public_bytes_raw()).decode()
        found = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        found = None
    if not isinstance(found, Ed25519PublicKey):
        raise _no_key(where)
    return base64.b64encode(found.public_bytes_raw()).decode()


def signed_by(public: str, content: bytes, signature: bytes) -> bool:
    """Whether the key signed the content; False for what is no key, too."""
    from cryptography.exceptions import InvalidSignature

    try:
        _public(public).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def _public(text: str) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except binascii.Error as error:
        raise ValueError("this is no base64") from error


def _no_key(where: str) -> ConfigError:
    return ConfigError(
        f"{where}: this is no public key of an audit export", "give the file that `rotator audit key > FILE` wrote"
    )
