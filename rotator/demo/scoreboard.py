"""The score: what the consumer saw, what the provider still has, what the journal says. Nobody's opinion of himself."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rotator.app import App
from rotator.core.facts import Kind
from rotator.core.protocol.names import parse
from rotator.core.protocol.view import View
from rotator.demo.consumer import Consumer
from rotator.demo.stage import Stage
from rotator.journal.open import open_journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The scoreboard; field names are those of `demo -o json`.

    Attributes:
        rotations: confirmed rotations of all credentials, first creations not counted.
        kills: SIGKILLs of the daemon.
        consumer_reads: reads of all consumers.
        dead_reads: reads of recreated credentials that the API did not accept.
        roll_dead_seconds: how long the rolled credential was dead, which no one can avoid.
        lost_values: credentials of which neither journal nor target holds a value that the provider accepts.
        abandoned_attempts: mints whose answer was lost and that were given up.
        orphans: tokens of ours at the provider that no rotation, no retirement and no credential owns.
        seconds: duration of the demo.
        folder: where everything lies, None when it was removed.
    """

    rotations: int
    kills: int
    consumer_reads: int
    dead_reads: int
    roll_dead_seconds: float
    lost_values: int
    abandoned_attempts: int
    orphans: int
    seconds: float
    folder: str | None

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, dead or left."""
        return not (self.lost_values or self.dead_reads or self.orphans)

    def document(self) -> dict[str, object]:
        """Return the JSON document."""
        return asdict(self)


def score(stage: Stage, consumers: Sequence[Consumer], seconds: float, folder: Path | None) -> Score:
    """Count everything, with the daemon at rest."""
    with App.open(stage.config) as app:
        views = app.journal.views() if app.journal else {}
        by_name = {name: views[stream] for name, stream in app.ids.items() if stream in views}
        abandoned = sum(fact.kind is Kind.ABANDONED for _, fact in app.queries.history())
        key, url = app.config.state.folder / "rotator.key", app.config.state.url
    lost = 0
    for consumer in consumers:
        value = consumer.value()
        if value is not None and consumer.accepted(value):
            continue
        stream, view = app.ids[consumer.role.credential], by_name.get(consumer.role.credential)
        if view is None or not view.attempts:
            continue  # the curtain fell before anything was minted
        journal = open_journal(url, key, mode="reader")
        held = [journal.reveal(stream, fingerprint).reveal() for fingerprint in view.values]
        journal.close()
        lost += not any(consumer.accepted(found) for found in held)
    return Score(
        rotations=sum(view.rotations for view in views.values()),
        kills=stage.kills,
        consumer_reads=sum(c.reads for c in consumers),
        dead_reads=sum(c.dead for c in consumers if not c.role.rolls),
        roll_dead_seconds=round(sum(c.dead_seconds for c in consumers if c.role.rolls), 1),
        lost_values=lost,
        abandoned_attempts=abandoned,
        orphans=len(strays(stage, owned(views.values()))),
        seconds=round(seconds, 1),
        folder=str(folder) if folder else None,
    )


def owned(views: Iterable[View]) -> set[str]:
    """Return ids of the tokens that a credential, its rotation or one of its retirements owns."""
    found: set[str] = set()
    for view in views:
        found |= {view.current, view.rotation.token_id if view.rotation else "", *view.retirements}
    return found


def strays(stage: Stage, owners: set[str]) -> list[str]:
    """Return ids of tokens of our names that still exist and that nothing owns."""
    url = f"{stage.sandbox.control}/tokens"
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own loopback
        tokens = json.load(answer)["tokens"]
    existing = [t for t in tokens if t["status"] in ("active", "disabled")]
    return [t["id"] for t in existing if parse(t["name"]) and t["id"] not in owners]
