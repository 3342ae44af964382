"""The key of an instance, and its public half as people keep it."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rotator.audit.keys import Signer, pem, public_of, signed_by
from rotator.core.errors import ConfigError

SIGNER = Signer(b"s" * 32)


def test_a_seed_is_one_key_for_ever():
    assert Signer(b"s" * 32).public == SIGNER.public != Signer(b"t" * 32).public
    # RFC 8032 section 7.1, test 1
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    assert Signer(seed).sign(b"").hex().startswith("e5564300c360ac729086e2cc806e828a")


def test_the_key_is_read_from_pem_and_from_what_the_export_names():
    assert public_of(pem(SIGNER.public), "f") == public_of(f"{SIGNER.public}\n", "f") == SIGNER.public


def test_a_signature_is_of_one_key_and_one_content():
    signature = SIGNER.sign(b"content")
    assert signed_by(SIGNER.public, b"content", signature)
    assert not signed_by(SIGNER.public, b"other", signature)
    assert not signed_by(Signer(b"t" * 32).public, b"content", signature)
    assert not signed_by("no key", b"content", signature)
    assert not signed_by("c2hvcnQ=", b"content", signature)


def other_pem() -> str:
    public = generate_private_key(SECP256R1()).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    "text", ["", "no key", "c2hvcnQ=", "-----BEGIN PUBLIC KEY-----\nbm8=\n-----END PUBLIC KEY-----", other_pem()]
)
def test_what_is_no_public_key_is_refused(text):
    with pytest.raises(ConfigError, match=r"audit\.pem: this is no public key of an audit export"):
        public_of(text, "audit.pem")
