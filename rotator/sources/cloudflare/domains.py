"""Domain names in the one form in which they are compared."""

from __future__ import annotations

import unicodedata
from typing import Final

_DOTS: Final = str.maketrans({"。": ".", "．": ".", "｡": "."})
"""What a full stop may look like in a domain name (UTS 46)."""


def plain_name(name: str) -> str:
    """Return a domain name in the one form in which names are compared: Unicode, lower case, no final dot.

    `xn--bcher-kva.example`, `BÜCHER.example` and `bücher.example.` are one zone; Cloudflare shows and finds it by the
    Unicode name. Labels that are no valid IDNA 2008 (emoji domains) are decoded all the same.
    """
    import idna

    text = name.translate(_DOTS).rstrip(".")
    try:
        text = idna.uts46_remap(text, std3_rules=False, transitional=False)
    except idna.IDNAError:
        text = unicodedata.normalize("NFKC", text).lower()
    return ".".join(_unicode(label) for label in text.split("."))


def _unicode(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label
