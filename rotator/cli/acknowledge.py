"""The verb by which a consumer says what it uses: of a place that nobody can read, nothing else tells."""

from __future__ import annotations

from typing import Annotated

import typer

from rotator.cli import exits
from rotator.cli.layout import text
from rotator.cli.names import choose, complete
from rotator.cli.operate import Reason, note, opened
from rotator.cli.output import write_json, write_lines
from rotator.cli.verbs import Settings, verb
from rotator.core.errors import Absent
from rotator.core.facts import Acknowledged


def ack(
    settings: Settings,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A credential.", autocompletion=complete)],
    target: Annotated[str, typer.Option("--target", metavar="TARGET", help="The target, as `status` names it.")],
    generation: Annotated[
        int, typer.Option("--generation", metavar="N", min=1, help="The generation, as `status` shows it.")
    ],
    reason: Reason = "",
) -> int:
    """Say that the consumers of a target use a generation.

    Nobody can see which value the consumers of a write-only target use, or of
    one whose value is pasted elsewhere (`pasted: true`). So an old token there
    ends only after this, or after it was seen to be silent.
    It counts against tokens of earlier generations, and shortens nothing.
    It is void once somebody else wrote there.

      rotator ack workers-deploy --target actions --generation 7
    """
    with opened(settings) as app:
        (one,) = choose(app, [name])
        known = app.writable.view(one.stream)
        targets = {t.name for t in one.credential.targets} if one.credential else set(known.baselines)
        if target not in targets:
            raise Absent(f"{one.name} has no target {target}", f"its targets are {', '.join(sorted(targets))}")
        if generation > known.generation:
            raise Absent(
                f"generation {generation} of {one.name} was never published", f"the newest one is {known.generation}"
            )
        note(app, one, Acknowledged(target=target, generation=generation, reason=reason))
    row = {"credential": one.name, "target": target, "generation": generation}
    if settings.json:
        write_json({"acknowledged": [row]})
    else:
        write_lines([text(f"{one.name}: the consumers of {target} use generation {generation}")])
    return exits.DONE


def register(app: typer.Typer) -> None:
    """Add this verb."""
    verb(app, absent=exits.NO)(ack)
