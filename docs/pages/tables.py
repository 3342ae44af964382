"""The pages that show one table of the program: crash points, and the requests of a rotation."""

from __future__ import annotations

from docs.pages.markdown import code, table


def crash_points() -> str:
    """Return the page of the named crash points."""
    from rotator.host.crashpoints import Point

    rows = [(code(point.value), ", ".join(point.paths) or "troubled runs only") for point in Point]
    return (
        "# Crash points\n\n"
        "`ROTATOR_TESTING=1 ROTATOR_CRASH_AT=POINT[:N] rotator ...` makes the process send itself SIGKILL"
        " at the N-th passage of a point.\n"
        "Without both variables the hook is an empty function.\n"
        "[testing.md](../testing.md) says how the tests use it.\n\n"
        + table(("point", "passed by an undisturbed"), rows)
    )


def requests() -> str:
    """What a rotation asks of the provider."""
    from rotator.app.requests import ASKED, requests_of

    def shown(count: int, each: bool) -> str:
        return f"{count} for each target" if count and each else str(count or "")

    rows = [
        (code(a.operation), a.purpose, *(shown(count, a.each_target) for count in (a.first, a.recreate, a.roll)))
        for a in ASKED
    ]
    sums = [requests_of(1, rolls=rolls, first=first) for rolls, first in ((False, True), (False, False), (True, False))]
    rows.append(("", "with one target", *map(str, sums)))
    head = ("operation", "purpose", "first creation", "recreate", "roll")
    text = (
        "The provider's limit is what a large fleet feels first, so every request of a rotation has its own purpose.",
        "`rotator plan` and `rotator check` count from this table; a test holds it against what the provider received.",
        "",
        table(head, rows),
        "Beside them, each process asks once who its management token is (`verify` and `get`).",
        "Names of zones are looked up once and kept.",
        "The tokens of a connection are listed at every watch and sweep, 50 to a request, however many rotations run.",
        "A value that the provider does not accept at once is verified again.",
        "A token that is still used is looked at again until it is quiet.",
    )
    return "\n".join(("# Requests of a rotation\n", *text))
