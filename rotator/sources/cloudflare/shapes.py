"""What a value of Cloudflare looks like. Shape only: the checksum at its end is documented nowhere.

Source: https://developers.cloudflare.com/fundamentals/api/get-started/token-formats/
"""

from __future__ import annotations

import re
from typing import Final

from rotator.catalogue.shapes import told
from rotator.core.ports.source import Looks, Shape

TOKEN: Final = re.compile(r"cf[a-z]{1,6}_[A-Za-z0-9_-]{32,250}")
"""`cfut_` (users) and `cfat_` (accounts), and prefixes that are not known yet."""

OLD: Final = re.compile(r"[A-Za-z0-9_-]{40}")
"""A token made before April 2026: it looks like many other things."""

NOT_TOKENS: Final = (
    (re.compile(r"cfk_.*|[0-9a-f]{37,45}"), "a Global API Key, which is no API token"),
    (re.compile(r"cfoat_.*"), "a login of wrangler (OAuth), which is no API token"),
    (re.compile(r"cfast_.*"), "the secret of an Access service token"),
    (re.compile(r"v1\.0-[0-9a-f-]{24,}.*"), "an Origin CA key"),
)
"""Other secrets of Cloudflare, none of which is ever tried as an API token."""

NAMED: Final = re.compile(r"cloudflare|(?:^|[^a-z])cf(?:$|[^a-z])", re.IGNORECASE)
CAMEL: Final = re.compile(r"(?:^|[a-z0-9_-])(?:cf|Cf|CF)(?=[A-Z_-]|$)")
"""Names of keys that say whose value stands there: `CF_API_TOKEN`, `cloudflare_token`, `cfToken`."""


def looks_like(text: str, key: str, *, adopted: bool) -> Shape:
    """Return what a text looks like.

    Args:
        text: what stands at the managed key.
        key: the managed key's name.
        adopted: whether the credential names a token to be taken over, which may be one of the old format.
    """
    if found := told(text):
        return found
    for pattern, words in NOT_TOKENS:
        if pattern.fullmatch(text):
            return Shape(Looks.OTHER, words)
    if TOKEN.fullmatch(text):
        return Shape(Looks.OWN, "an API token of Cloudflare")
    if OLD.fullmatch(text) and (adopted or NAMED.search(key) or CAMEL.search(key)):
        return Shape(Looks.OWN, "an API token of Cloudflare in the old format")
    return Shape(Looks.OTHER, "a text of another kind than Cloudflare's API tokens")
