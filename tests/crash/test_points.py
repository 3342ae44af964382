"""Whoever adds a crash point adds the test that dies there. Read off the tests themselves: no list can go stale."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from rotator.host.crashpoints import Point

HERE = Path(__file__)


def crossed() -> Iterator[str]:
    """Every point that is a case of a test of this folder; `:2` is left out, for it is the same point."""
    for file in sorted(HERE.parent.glob("test_*.py")):
        module = import_module(f"{__package__}.{file.stem}")
        for name, test in vars(module).items():
            if name.startswith("test_"):
                yield from (case for mark in getattr(test, "pytestmark", ()) for case in _cases(mark))


def _cases(mark) -> Iterator[str]:
    if mark.name != "parametrize":
        return
    names, rows = mark.args
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    if "point" not in names:
        return
    for row in rows:
        case = row if len(names) == 1 else row[names.index("point")]
        yield case.partition(":")[0]


def test_every_point_is_a_case_of_a_test_that_dies_there():
    missing = [str(point) for point in Point if point not in set(crossed())]
    assert not missing, f"no test of tests/crash has one of these as a case of `point`: {missing}"
