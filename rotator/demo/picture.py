"""What people see while the demo runs: a live picture on a terminal, plain lines elsewhere, a scoreboard at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rotator.core.status import CredentialStatus
from rotator.demo.consumer import Consumer
from rotator.demo.scoreboard import Score

if TYPE_CHECKING:
    from rich.table import Table

WHY_ROLL = (
    "a roll ends the old value before the new one can be published;",
    "nobody can avoid that, so it is counted apart",
)

COLOURS = {"idle": "green", "uninitialized": "dim", "failing": "red", "needs_operator": "red"}


class Picture:
    """Shows progress on standard error; the scoreboard goes to standard output."""

    def __init__(self, *, live: bool) -> None:
        """`live`: draw on the terminal; else say plain lines."""
        self.ends = ""
        self._live: Any = None
        self._said: dict[str, tuple[int, str]] = {}
        self._lines: list[str] = []
        self._began = time.monotonic()
        if live:
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), refresh_per_second=8, transient=False)
            self._live.start()

    def say(self, line: str) -> None:
        """One line for people."""
        text = f"{time.monotonic() - self._began:6.1f} s  {line}"
        self._lines = [*self._lines[-4:], text]
        if self._live is None:
            print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress of a command

    def show(self, statuses: Sequence[CredentialStatus], consumers: Sequence[Consumer], kills: int, now: float) -> None:
        """Show how things are."""
        for status in statuses:
            seen = (status.generation, status.rotation.step if status.rotation else status.state.value)
            if self._said.get(status.name, (0, ""))[0] != seen[0] and status.generation:
                self.say(f"{status.name}: generation {status.generation} published")
            self._said[status.name] = seen
        if self._live is not None:
            self._live.update(self._table(statuses, consumers, kills, now))

    def _table(
        self, statuses: Sequence[CredentialStatus], consumers: Sequence[Consumer], kills: int, now: float
    ) -> Table:
        from rich.table import Table
        from rich.text import Text

        reads = {c.role.credential: c for c in consumers}
        table = Table(
            title=f"rotator demo   {time.monotonic() - self._began:5.1f} s   {kills} kill{'s' * (kills != 1)}",
            caption="\n".join([self.ends, *self._lines]),
            caption_justify="left",
            expand=False,
            box=None,
            padding=(0, 2, 0, 0),
        )
        for column in ("credential", "strategy", "state", "gen", "life left", "old", "reads", "dead"):
            table.add_column(column, justify="right" if column in ("gen", "reads", "dead") else "left", no_wrap=True)
        for status in statuses:
            consumer = reads[status.name]
            left = max(0.0, (status.expires_on or now) - now)
            full = min(6, round(left / 5))
            bar = "█" * full + "░" * (6 - full)
            step = status.rotation.step if status.rotation else status.state.value
            colour = COLOURS.get(step, "yellow")
            dead = Text(str(consumer.dead), style="red" if consumer.dead and not consumer.role.rolls else "")
            retiring = ",".join(r.step for r in status.retirements) or "-"
            row = (
                status.name,
                status.strategy,
                Text(step, style=colour),
                str(status.generation),
                f"{bar} {left:2.0f} s",
            )
            table.add_row(*row, retiring, str(consumer.reads), dead)
        return table

    def close(self) -> None:
        """Give the terminal back."""
        if self._live is not None:
            self._live.stop()


def board(score: Score) -> str:
    """Return the scoreboard as text, 80 columns wide at most."""
    rows = [
        ("rotations", str(score.rotations), "first creations not counted"),
        ("kills", str(score.kills), "SIGKILL of the daemon, then a restart"),
        ("consumer reads", str(score.consumer_reads), "each a read of the file and a call to the API"),
        ("dead reads", str(score.dead_reads), "of recreated credentials"),
        ("lost values", str(score.lost_values), "no live value in journal or target"),
        ("orphans", str(score.orphans), "tokens of ours that nobody owns"),
        ("abandoned attempts", str(score.abandoned_attempts), "answers lost in a kill; made again, swept"),
        ("roll: dead seconds", f"{score.roll_dead_seconds:.1f}", "see below"),
    ]
    body = [f"  {name:<20}{value:>8}   {about}" for name, value, about in rows]
    verdict = "nothing was lost, nothing published was dead" if score.clean else "SOMETHING WAS LOST OR DEAD"
    kept = [f"  everything is kept in {score.folder}"] if score.folder else []
    note = [f"  {line}" for line in WHY_ROLL]
    return "\n".join(["", f"scoreboard after {score.seconds:.0f} s: {verdict}", "", *body, "", *note, *kept])
