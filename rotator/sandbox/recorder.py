"""The log of requests that the control interface shows. It holds no value: paths are scrubbed before they enter."""

from __future__ import annotations

import re
import threading
from collections import deque
from itertools import dropwhile
from typing import Any, Final

from rotator.sandbox.clock import rfc3339

KEPT: Final = 100_000
_VALUE: Final = re.compile(r"cf(?:ut|at|k)_\w+")


class Recorder:
    """Numbers every request from 1 and keeps the newest `KEPT` of them in memory."""

    def __init__(self) -> None:
        self._rows: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self._seq = 0

    def note(
        self,
        now: float,
        method: str,
        path: str,
        query: str,
        status: int | None,
        operation: str,
        actor: str | None,
        fault: str | None,
    ) -> None:
        """Add a row; `status` None means that nothing was done. `now` is provider time."""
        with self._lock:
            self._seq += 1
            self._rows.append(
                {
                    "seq": self._seq,
                    "time": rfc3339(now),
                    "at": now,
                    "method": method,
                    "path": _VALUE.sub("[value]", path),
                    "query": _VALUE.sub("[value]", query),
                    "status": status,
                    "operation": operation,
                    "actor_token_id": actor,
                    "fault": fault,
                }
            )

    def after(self, seq: int) -> list[dict[str, Any]]:
        """The rows with a number greater than `seq`, oldest first."""
        with self._lock:
            rows = list(self._rows)
        return list(dropwhile(lambda row: row["seq"] <= seq, rows))
