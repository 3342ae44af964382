"""One line of the table, and how time, processor time and memory are read. It knows nothing of what is measured."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured thing.

    Attributes:
        name: what was measured.
        value: what came out, in `unit`.
        unit: unit of value and baseline.
        baseline: what it is compared with, measured in the same run; None where the goal is absolute.
        against: what the baseline is.
        goal: bound of the ratio where there is a baseline, else of the value; None where nothing is promised.
        at_least: whether the goal is a lower bound.
        note: circumstances, and the cause where a goal is missed.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None
    against: str = ""
    goal: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Value to baseline."""
        return self.value / self.baseline if self.baseline else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.goal is None:
            return None
        judged = self.value if self.ratio is None else self.ratio
        return judged >= self.goal if self.at_least else judged <= self.goal


def cpu_seconds() -> float:
    """Return the processor time of this process so far, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def cpu_seconds_of(pid: int) -> float:
    """Return the processor time of another process so far, all threads that live."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def rss_mib(pid: int | str = "self") -> float:
    """Return the resident memory of a process, shared libraries included."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB
