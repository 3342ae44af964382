"""What is pasted where a management token belongs: each look-alike has its own message and fix, and is never sent."""

from __future__ import annotations

import re
from typing import Final

from rotator.catalogue.shapes import told
from rotator.core.errors import ConfigError
from rotator.core.secret import Secret
from rotator.sources.cloudflare.shapes import NOT_TOKENS

_MAKE: Final = (
    "make an API token in the dashboard (My Profile or Manage Account, API Tokens, `Create Additional Tokens`) "
    "and put its value there"
)
_LOOKALIKES: Final = (
    (r"([\"'`]).*\1", "stands in quotes", "remove the quotes: the file holds the value and nothing else"),
    (r"[\"'`].*|.*[\"'`]", "has a quote at one end", "remove it: the file holds the value and nothing else"),
    (r"(?:export)?[A-Za-z_][A-Za-z0-9_]*=.*", "is a line `NAME=value`", "keep only what stands after the `=`"),
    (r"(?i:bearer):?.*", "begins with `Bearer`", "keep only what stands after it"),
    (r"[0-9a-f]{32}", "looks like an id (of an account, a zone or a token), not like a token's value", _MAKE),
    (r"[0-9a-f]{64}", "looks like the secret of an Access service token or of R2, not like an API token", _MAKE),
)
"""(whole text, what it looks like, what to do), asked from the top."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{20,512}")


def refuse(value: Secret, login: str) -> None:
    """Refuse what is certainly no API token, before it is sent anywhere.

    Args:
        value: what was read where a management token belongs.
        login: that token in words, with its connection and place.

    Raises:
        ConfigError: it looks like something else; the message never quotes it.
    """
    text = value.reveal()
    for pattern, looks, remedy in _LOOKALIKES:
        if re.fullmatch(pattern, text):
            raise ConfigError(f"{login} {looks}", remedy)
    for kind, what in NOT_TOKENS:
        if kind.fullmatch(text):
            raise ConfigError(f"{login} is {what}", _MAKE)
    if shape := told(text):
        raise ConfigError(f"{login} is {shape.what}, not an API token", _MAKE)
    if not _TOKEN.fullmatch(text):
        raise ConfigError(f"{login} does not look like an API token of Cloudflare", _MAKE)
