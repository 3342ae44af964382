"""What the tests of render share."""

from textwrap import dedent

from rotator.cli.layout import plain
from tests.unit.cli.documents import NOW

WIDTH = 80


def shown(lines):
    return "\n".join(plain(line) for line in lines) + "\n"


def expected(text):
    return dedent(text).lstrip("\n")


def planned(*rotations, **more):
    prod = {
        "name": "prod",
        "rotations": len(rotations),
        "requests": 17,
        "rate_budget": {"requests": 300, "window": 300.0},
        "quota": {"used": 31, "limit": 500, "peak": 33},
        "peak_overlap": 2,
    } | more
    planned = {"version": 1, "time": NOW, "days": 30.0, "rotations": list(rotations), "connections": [prod]}
    return planned | {"tokens": []}
