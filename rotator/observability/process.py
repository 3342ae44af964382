"""What the page says of the process itself: memory, processor, files, age."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector

PROCESS: Final = (
    "process_virtual_memory_bytes",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
)
"""Names of what the library reads from /proc; absent where there is none (macOS)."""


def watch_process(registry: CollectorRegistry) -> None:
    """Let `registry` show the metrics of this process, read at each scrape: proc_pid_stat(5)."""
    ProcessCollector(registry=registry)
