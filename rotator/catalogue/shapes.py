"""What a text at a managed key looks like, told by its shape alone: references, encrypted content, placeholders.

Told before any source is asked about its own values, so that nothing of these shapes is ever sent anywhere. Nothing
here quotes the text that it looks at.
"""

from __future__ import annotations

import re
from typing import Final

from rotator.core.ports.source import Looks, Shape

LONGEST: Final = 64
"""Characters of a placeholder at most."""

ENCRYPTED: Final = (
    (r"encrypted:", "a value that dotenvx encrypted"),
    (r"ENC\[(?:PKCS7|GPG),", "a value that eyaml encrypted"),
    (r"ENC\[", "a value that SOPS encrypted"),
    (r"EJ\[\d+:", "a value that ejson encrypted"),
    (r"AQICAH", "a value that AWS KMS encrypted"),
    (r"gAAAAA", "a value that Fernet encrypted"),
    (r"U2FsdGVkX1", "a value that openssl encrypted"),
    (r"ENC\(", "a value that Jasypt encrypted"),
    (r"\{cipher\}", "a value that Spring Cloud Config encrypted"),
    (r"\$ANSIBLE_VAULT;|!vault\b", "content that Ansible Vault encrypted"),
    (r"-----BEGIN AGE ENCRYPTED FILE-----|age-encryption\.org/", "content that age encrypted"),
    (r"-----BEGIN PGP MESSAGE-----", "content that PGP encrypted"),
    (r"vault:v[0-9]+:", "a value that Vault's transit engine encrypted"),
)
"""How encrypted content begins, and its name."""

REFERENCES: Final = (
    (r"op://", "a reference to 1Password (op://)"),
    (r"\$\(|`", "a command that a shell would run"),
    (r"<path:", "a placeholder of the Argo CD Vault plugin (<path:...>)"),
    (r"\{\{", "a template ({{ ... }})"),
    (r"ref\+", "a reference of vals (ref+...)"),
    (r"(?:>>)?vault:", "a reference to Vault (vault:...)"),
    (r"arn:aws[a-z-]*:", "the ARN of an AWS resource"),
    (r"@Microsoft\.KeyVault\(", "a reference to Azure Key Vault"),
    (r"projects/[^/\s]+/secrets/", "a reference to Google Secret Manager"),
    (r"(?:secretsmanager|ssm|awssm|gcpsm|keyvault|doppler|infisical|bws?|file|env|exec|cmd)[:+]", "a reference"),
    (r"[A-Za-z][A-Za-z0-9+.-]*://", "an address or a reference (...://)"),
)
"""How a reference begins, and its name."""

EXPANDS: Final = re.compile(r"\$\{[^}]*\}|\$[A-Za-z_][A-Za-z0-9_]*|%[A-Za-z_][A-Za-z0-9_]*%")
"""Variables: a shell, compose or Windows puts another text there, so what stands there is no value."""

ISSUERS: Final = (
    (r"glpat-|gldt-|glrt-|glptt-", "a token of GitLab"),
    (r"gh[opsur]_|github_pat_", "a token of GitHub"),
    (r"(?:AKIA|ASIA)[A-Z0-9]{16}$", "an AWS access key id"),
    (r"hv[sbr]\.", "a token of Vault"),
    (r"xox[abeprs]-|xapp-", "a token of Slack"),
    (r"sk_live_|sk_test_|rk_live_|rk_test_", "a key of Stripe"),
    (r"dop_v1_", "a token of DigitalOcean"),
    (r"npm_", "a token of npm"),
    (r"ya29\.", "an access token of Google"),
    (r"eyJ[A-Za-z0-9_-]+\.eyJ", "a JSON Web Token"),
    (r"-----BEGIN ", "a key or certificate (PEM)"),
    (r"Bearer ", "a whole header (Bearer ...)"),
    (r"[{\[]", "a JSON document"),
)
"""How well-known secrets of others begin, and their names."""

WORDS: Final = frozenset(
    {
        *("changeme", "change_me", "changeit", "change_it", "change_this", "changethis", "replaceme", "replace_me"),
        *("replaceit", "replace_it", "replace_this", "replacethis", "setme", "set_me", "fillme", "fill_me", "fill_in"),
        *("placeholder", "place_holder", "todo", "to_do", "tbd", "tba", "fixme", "fix_me", "redacted", "insert_here"),
        *("paste_here", "mytoken", "yourtoken", "yourapitoken", "yourkey", "yourapikey", "{}", '""', "''"),
    }
)
"""Whole texts that are placeholders, in any case, with `-`, `_` or a blank between their words."""

MEANT: Final = frozenset(
    {
        *("dummy", "example", "sample", "test", "testing", "fake"),
        *("none", "null", "nil", "undefined", "unset", "empty", "n/a"),
    }
)
"""Placeholders where a secret belongs, and elsewhere perhaps what somebody means."""

_NOUN: Final = r"(?:token|key|id|value|account)"
SHAPES: Final = re.compile(
    r"<[^<>]*>|\[your[ _-][a-z _-]+\]|x{3,}(?:[ _-]+x+)*|(?:[a-z]{2,6}_)x{8,}(?:[_-]x+)*|\*{3,}|\.{3,}|_{3,}|-{3,}"
    r"|your[ _-][a-z _-]+"
    rf"|my[ _-](?:[a-z]+[ _-])*{_NOUN}"
    rf"|(?:dummy|example|sample|fake|test)[ _-](?:[a-z]+[ _-])*{_NOUN}"
    rf"|(?:[a-z]+[ _-])*{_NOUN}[ _-]example"
    r"|(?:insert|enter|paste|put|add|replace|set)[ _-][a-z _-]*(?:here|token|key|secret|value|id)"
    r"|replace[ _-]with[ _-][a-z _-]+"
    r"|[a-z]+[ _-](?:[a-z]+[ _-])*(?:here|placeholder|changeme)"
    r"|(?:placeholder|todo|changeme)[ :_-][a-z _-]+",
    re.IGNORECASE,
)
"""Shapes of placeholders, letters only: `your_api_token_here`, `<token>`, `xxxxxxxx-xxxx`, `my_secret_token`."""


def told(text: str) -> Shape | None:
    """Return what a text looks like, None where its shape says nothing: only then a source may be asked.

    Args:
        text: what stands at a managed key, not empty.
    """
    if is_placeholder(text):
        return Shape(Looks.PLACEHOLDER, "a placeholder", meant=_plain(text) in MEANT)
    bare = text.strip().strip("\"'")
    for kind, table in ((Looks.ENCRYPTED, ENCRYPTED), (Looks.REFERENCE, REFERENCES), (Looks.OTHER, ISSUERS)):
        for begins, words in table:
            if re.match(begins, bare):
                return Shape(kind, words)
    if EXPANDS.search(bare):
        return Shape(Looks.REFERENCE, "a text with variables that a shell would replace")
    if bare != text:
        return Shape(Looks.OTHER, "a text with blanks or quotes around it")
    if re.search(r"\s", text):
        return Shape(Looks.OTHER, "a text of several words or lines")
    return None


def is_placeholder(text: str) -> bool:
    """Whether a whole text is a placeholder: one line of at most 64 characters, a known word or shape."""
    bare = text.strip()
    if len(text) > LONGEST or len(bare.splitlines()) > 1:
        return False
    return _plain(text) in WORDS | MEANT or SHAPES.fullmatch(bare) is not None


def _plain(text: str) -> str:
    """A text in small letters, with `_` between its words."""
    return re.sub(r"[ -]", "_", text.strip().lower())
