"""What the tests of bootstrap share."""

import io
import re
import sys

ACCOUNT = "a0000000000000000000000000000001"


ZONE = "b0000000000000000000000000000001"


EMAIL = "owner@example.com"


OURS = re.compile(r"rotator (management|standby) prod [0-9a-f]{8}")


def stands(place, name):
    return (place.folder / "secrets" / name).read_text()


def ours(place):
    """Tokens that a bootstrap made and that exist now."""
    return [t for t in place.sandbox.world.tokens.values() if OURS.fullmatch(t.name) and t.deleted_on is None]


def typed(monkeypatch, *lines):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("".join(f"{line}\n" for line in lines).encode())))


def levels(document):
    return {finding["level"] for finding in document["findings"]}


def codes(document):
    return {finding["code"] for finding in document["findings"]}
