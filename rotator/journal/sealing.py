"""How a value rests: AES-256-GCM under a key of its own, which is wrapped by the key file's key.

It knows neither tables nor facts. What binds a record to its place (the associated data) is what never changes: format,
instance, sealed id, credential, rotation, attempt. Never sequence, epoch, table or key id, so that a record may move
from a spool into the journal and be wrapped anew. Destroying a value means forgetting its wrapped key.
"""

from __future__ import annotations

import base64
import binascii
import copy
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from rotator.core.errors import ConfigError, JournalUnsafe, Unavailable
from rotator.core.ids import NO_ROTATION, NO_TOKEN, NO_VALUE, CredentialId, Fingerprint, RotationId, TokenId
from rotator.core.secret import Secret
from rotator.journal.key_file import Key, parse

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FORMAT: Final = 1
_KEY: Final = 32
_NONCE: Final = 12
"""Bytes of a GCM nonce (NIST SP 800-38D section 5.2.1.1). Random ones are safe: every key seals one record only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """One encrypted value, as it stands in a table or a spool.

    Attributes:
        sealed_id: random id.
        instance: the journal in which it was sealed.
        credential: id of the stream.
        rid: rotation id, or empty.
        attempt: number of the mint, or 0.
        fingerprint: of the value.
        token_id: the token that the value belongs to.
        key_id: which key of the key file wraps its key.
        wrapped_key: nonce and wrapped key; empty once destroyed.
        nonce: of the value.
        ciphertext: the value, encrypted and authenticated.
        format: of this record.
    """

    sealed_id: str
    instance: str
    credential: str
    rid: RotationId
    attempt: int
    fingerprint: Fingerprint
    token_id: TokenId
    key_id: str
    wrapped_key: bytes
    nonce: bytes
    ciphertext: bytes
    format: int = FORMAT

    @property
    def digest(self) -> str:
        """SHA-256 of the ciphertext, in hexadecimal: what the hash chain holds, whatever becomes of the key."""
        return hashlib.sha256(self.nonce + self.ciphertext).hexdigest()

    def _bound(self) -> bytes:
        parts = (str(self.format), self.instance, self.sealed_id, self.credential, self.rid, str(self.attempt))
        return "\n".join(("rotator-sealed", *parts)).encode()


def _aes_gcm(key: bytes) -> AESGCM:
    """The cipher; its library is loaded by whoever has a key, and never by `status`."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


class KeyRing:
    """The keys of one key file: the first one seals, all of them open. Safe to share between threads.

    It may read its file again: a key that stands there by then opens at once, and seals once `turn` was told to.
    """

    def __init__(self, text: Secret, again: Callable[[], Secret] | None = None) -> None:
        """Read a key file: one `rotator-key-v1:<8 hex>:<base64 of 32 bytes>` per line, `#` comments allowed.

        Args:
            text: its content.
            again: reads it once more; None where it cannot change.

        Raises:
            ConfigError: it holds no key, or a line is no key.
        """
        self._keys: tuple[Key, ...] = parse(text)
        self._again = again

    def turn(self, proof: Sealed) -> bool:
        """Read the file again and seal with what is first there; True where that is another key than before.

        A file that does not open `proof` by itself is not believed: it is another journal's, or half of one. Keys that
        were known go on to open until the process ends.

        Raises:
            ConfigError: the file cannot be read, or is no key file.
            JournalUnsafe: it does not open `proof`.
        """
        if self._again is None:
            return False
        text = self._again()
        found = parse(text)
        if found[0].id == self.active and {key.id for key in found} <= {key.id for key in self._keys}:
            return False
        KeyRing(text).open(proof)
        turned = found[0].id != self.active
        self._keys = _joined(found, self._keys)
        return turned

    def alone(self) -> KeyRing:
        """Return a ring of the key that seals, and no other."""
        ring = copy.copy(self)
        ring._keys, ring._again = self._keys[:1], None
        return ring

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of all keys, that which seals first."""
        return tuple(key.id for key in self._keys)

    @property
    def active(self) -> str:
        """Id of the key that seals."""
        return self._keys[0].id

    def seal(self, blank: Sealed, value: bytes) -> Sealed:
        """Return `blank` with the value encrypted under a fresh key, and that key wrapped by the active one."""
        key, nonce = os.urandom(_KEY), os.urandom(_NONCE)
        sealed = replace(blank, nonce=nonce, ciphertext=_aes_gcm(key).encrypt(nonce, value, blank._bound()))
        return self._wrap(sealed, key)

    def open(self, sealed: Sealed) -> bytes:
        """Decrypt.

        Raises:
            KeyError: its key was destroyed.
            JournalUnsafe: the key file is not the right one, or the record was changed.
        """
        from cryptography.exceptions import InvalidTag

        try:
            return _aes_gcm(self._unwrap(sealed)).decrypt(sealed.nonce, sealed.ciphertext, sealed._bound())
        except InvalidTag as error:
            raise JournalUnsafe(
                f"decrypting the sealed value {sealed.sealed_id}: it was changed since it was sealed",
                "restore the last backup of the journal; `rotator audit verify` shows what else was changed",
            ) from error

    def rewrap(self, sealed: Sealed) -> Sealed:
        """Return the record with its key wrapped by the active key; the ciphertext stays as it is. Raises as `open`."""
        return self._wrap(sealed, self._unwrap(sealed))

    def _wrap(self, sealed: Sealed, key: bytes) -> Sealed:
        nonce, mine = os.urandom(_NONCE), self._keys[0]
        wrapped = _aes_gcm(mine.secret).encrypt(nonce, key, sealed._bound())
        return replace(sealed, key_id=mine.id, wrapped_key=nonce + wrapped)

    def _unwrap(self, sealed: Sealed) -> bytes:
        from cryptography.exceptions import InvalidTag

        if not sealed.wrapped_key:
            raise KeyError(f"the key of the sealed value {sealed.sealed_id} was destroyed")
        key = self._find(sealed.key_id)
        if key is None:
            raise _wrong_key(f"it is sealed under key {sealed.key_id}, and the key file holds {', '.join(self.ids)}")
        try:
            nonce, wrapped = sealed.wrapped_key[:_NONCE], sealed.wrapped_key[_NONCE:]
            return _aes_gcm(key.secret).decrypt(nonce, wrapped, sealed._bound())
        except InvalidTag as error:
            raise _wrong_key(f"key {key.id} does not open what was sealed under that id") from error

    def _find(self, key_id: str) -> Key | None:
        """The key of that id; one that came into the file since it was read is found, too."""
        known = next((key for key in self._keys if key.id == key_id), None)
        if known is None and self._again is not None:
            with suppress(ConfigError, Unavailable):  # a file that is gone now opens nothing more
                self._keys = _joined(self._keys, parse(self._again()))
            known = next((key for key in self._keys if key.id == key_id), None)
        return known


def _joined(first: Iterable[Key], then: Iterable[Key]) -> tuple[Key, ...]:
    """All keys, each once; of two with one id the first."""
    found: dict[str, Key] = {}
    for key in (*first, *then):
        found.setdefault(key.id, key)
    return tuple(found.values())


class Seal:
    """What one journal seals and fingerprints with: its instance, the key ring, and the instance's sealed secret."""

    def __init__(self, instance: str, keys: KeyRing, secret: bytes) -> None:
        """`secret`: 32 random bytes that never change, kept sealed in the journal."""
        self.instance = instance
        self._keys = keys
        self._secret = secret

    @cached_property
    def _fingerprint_key(self) -> bytes:
        return hmac.digest(self._secret, b"rotator fingerprint", "sha256")

    @cached_property
    def chain_key(self) -> bytes:
        """The key of the hash chains: who can write to the file but has no key file cannot forge a chain."""
        return hmac.digest(self._secret, b"rotator chain", "sha256")

    @property
    def export_seed(self) -> bytes:
        """32 bytes from which the key is made that signs the checkpoints of exports: the same for ever."""
        return hmac.digest(self._secret, b"rotator audit export", "sha256")

    def fingerprint(self, value: Secret) -> Fingerprint:
        """Return the HMAC-SHA-256 of the value in hexadecimal."""
        return Fingerprint(hmac.digest(self._fingerprint_key, value.reveal().encode(), "sha256").hex())

    def seal(self, stream: CredentialId, rid: RotationId, attempt: int, token_id: TokenId, value: Secret) -> Sealed:
        """Seal a value for a stream, bound to its rotation and attempt."""
        blank = Sealed(
            sealed_id=secrets.token_hex(16),
            instance=self.instance,
            credential=stream,
            rid=rid,
            attempt=attempt,
            fingerprint=self.fingerprint(value),
            token_id=token_id,
            key_id="",
            wrapped_key=b"",
            nonce=b"",
            ciphertext=b"",
        )
        return self._keys.seal(blank, value.reveal().encode())

    def open(self, sealed: Sealed) -> Secret:
        """Decrypt; raises as `KeyRing.open`."""
        return Secret(self._keys.open(sealed).decode())

    def current(self, sealed: Sealed) -> Sealed:
        """Return a record under the key that seals now; one that this ring does not open is returned as it is."""
        if sealed.key_id == self._keys.active:
            return sealed
        try:
            return self._keys.rewrap(sealed)
        except JournalUnsafe:
            return sealed  # it may be the only copy of a value, and another process may have its key

    @property
    def keys(self) -> KeyRing:
        """The key ring."""
        return self._keys


def new_secret(instance: str, keys: KeyRing) -> Sealed:
    """Return the sealed secret of a new journal: check value of the key and root of fingerprints and chains in one."""
    return keys.seal(_secret_record(instance), os.urandom(32))


def unlock(instance: str, keys: KeyRing, secret: Sealed) -> Seal:
    """Return what a journal seals with.

    Raises:
        JournalUnsafe: the key file is not the one with which this journal was made.
    """
    return Seal(instance, keys, keys.open(secret))


def _secret_record(instance: str) -> Sealed:
    return Sealed(
        sealed_id="instance-secret",
        instance=instance,
        credential="",
        rid=NO_ROTATION,
        attempt=0,
        fingerprint=NO_VALUE,
        token_id=NO_TOKEN,
        key_id="",
        wrapped_key=b"",
        nonce=b"",
        ciphertext=b"",
    )


def pack(sealed: Sealed) -> dict[str, str | int]:
    """Return the record as plain JSON data, for a spool or the journal's own secret."""
    return {
        name: base64.b64encode(found).decode() if isinstance(found := getattr(sealed, name), bytes) else found
        for name in Sealed.__dataclass_fields__
    }


def unpack(data: dict[str, str | int]) -> Sealed:
    """Read what `pack` wrote.

    Raises:
        ValueError: it is something else.
    """
    blobs = {"wrapped_key", "nonce", "ciphertext"}
    try:
        found = {k: base64.b64decode(str(v), validate=True) if k in blobs else v for k, v in data.items()}
        return Sealed(**found)  # type: ignore[arg-type]  # a wrong shape is a ValueError for the caller, as any other
    except (TypeError, binascii.Error) as error:
        raise ValueError("this is not a sealed record") from error


def _wrong_key(why: str) -> JournalUnsafe:
    return JournalUnsafe(
        f"decrypting the journal: {why}",
        "give the daemon the key file with which this journal was made (state.encryption_key); nothing was changed",
    )
