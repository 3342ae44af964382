"""Whether a file, or a value in it, is encrypted: then no line may be put into it, and no value in clear beside it.

sops checks a MAC over the whole file, ansible-vault and age know no lines at all, and a file of dotenvx is there to be
committed. One assignment of ours would make such a file unreadable, or would be published with it.

Formats: https://github.com/getsops/sops#encrypting-using-dotenv, https://dotenvx.com/docs/env-file,
https://docs.ansible.com/ansible/latest/vault_guide/vault_using_encrypted_content.html, https://age-encryption.org/v1,
https://github.com/AGWA/git-crypt, https://github.com/Shopify/ejson, RFC 9580 section 6.2 (OpenPGP armor), https://github.com/voxpupuli/hiera-eyaml
"""

import re
from collections.abc import Iterable
from typing import Final

_HEADERS: Final = (
    (rb"\$ANSIBLE_VAULT;", "ansible-vault"),
    (rb"-----BEGIN AGE ENCRYPTED FILE-----", "age"),
    (rb"age-encryption\.org/", "age"),
    (rb"-----BEGIN PGP MESSAGE-----", "OpenPGP (gpg)"),
    (rb"-----BEGIN (?:PKCS7|CMS|ENCRYPTED MESSAGE)-----", "S/MIME or CMS"),
    (rb"\0GITCRYPT\0", "git-crypt"),
    (rb"Salted__|U2FsdGVkX1", "openssl or transcrypt"),
    (rb"\{\s*\"(?:data|sops)\":.*\"(?:mac|sops)\":", "sops"),
    (rb"\{.*\"EJ\[\d+:", "ejson"),
)
"""How a file begins -> who encrypted it as a whole."""

_KEYS: Final = (
    (re.compile(r"sops_(?:mac|version|lastmodified)|sops_[a-z]+__list_\d+__map_\w+", re.ASCII), "sops"),
    (re.compile(r"DOTENV_VAULT(?:_[A-Z0-9_]+)?", re.ASCII), "dotenv-vault"),
)
"""Keys that only an encrypted file has."""

_VALUES: Final = (
    (re.compile(r"encrypted:\S", re.ASCII), "dotenvx"),
    (re.compile(r"ENC\[(?:PKCS7|GPG),"), "eyaml"),
    (re.compile(r"EJ\[\d+:", re.ASCII), "ejson"),
    (re.compile(r"ENC\["), "sops"),
)
"""How an encrypted value begins. Values of the application's own, encrypted for itself, are none of these."""

_START: Final = 4096


def encrypted_file(content: bytes) -> str:
    """Return the name of the program that encrypted `content` as a whole, judged by how it begins; empty if none."""
    start = content[:_START].removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    return next((by for header, by in _HEADERS if re.match(header, start, re.DOTALL)), "")


def encrypted_entry(entries: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """Return (key, program) of the first of `entries`, (key, value), that is a part of an encrypted file; else empty.

    The key is a name, never a value, and may be shown.
    """
    for key, value in entries:
        for pattern, by in _KEYS:
            if pattern.fullmatch(key):
                return key, by
        for pattern, by in _VALUES:
            if pattern.match(value.strip()):
                return key, by
    return "", ""
