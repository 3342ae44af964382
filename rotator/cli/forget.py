"""The verb that lets go of a credential that left the configuration: forget."""

from __future__ import annotations

from typing import Any

import typer

from rotator.cli import exits
from rotator.cli.layout import text
from rotator.cli.names import SomeNames, choose, operator
from rotator.cli.operate import Reason, opened
from rotator.cli.output import write_json, write_lines
from rotator.cli.preview import Yes, agreed
from rotator.cli.verbs import Settings, verb
from rotator.core.errors import IllegalFact, RotatorError
from rotator.core.facts import Draft, Forgotten


def forget(settings: Settings, names: SomeNames = None, yes: Yes = False, reason: Reason = "") -> int:
    """End what the journal keeps of a credential that is unmanaged.

    For one that left the configuration for good, with no rotation and no
    retirement open. It is in no status and no metric any more, the keys of its
    values are destroyed, and its name is free; its facts stay for the audit.
    Nothing is revoked: the tokens that live on are named.

      rotator forget old-deploy
      rotator forget 'ci-*' --yes

    Exit 1 where a credential is configured, or something of it is still open.
    """
    with opened(settings) as app:
        chosen = choose(app, names)
        for one in chosen:
            view = app.writable.view(one.stream)
            if one.credential is not None:
                raise RotatorError(
                    f"{one.name} stands in the configuration", "take it out of `credentials` first, and let it finish"
                )
            if view.rotation or view.retirements:
                what = "a rotation" if view.rotation else "a retirement"
                raise RotatorError(f"{what} of {one.name} is still open", "`rotator status` says what it waits for")
        if not agreed([f"forget {one.name}; nothing is revoked" for one in chosen], yes=yes):
            return exits.NO
        rows: list[dict[str, Any]] = []
        for one in chosen:
            token = app.writable.view(one.stream).current
            draft = Draft(what=Forgotten(reason=reason), at=app.queries.now(one.connection), actor=operator())
            try:
                app.writable.forget(one.stream, draft)
            except IllegalFact:
                raise RotatorError(f"{one.name} changed just now", "look at `rotator status`, and try again") from None
            rows.append({"credential": one.name, "living_tokens": [token] if token else []})
    if settings.json:
        write_json({"forgotten": rows})
    else:
        write_lines(
            text(f"{row['credential']}: forgotten" + "".join(f"; the token {t} lives on" for t in row["living_tokens"]))
            for row in rows
        )
    return exits.DONE


def register(app: typer.Typer) -> None:
    """Add this verb."""
    verb(app, absent=exits.NO)(forget)
