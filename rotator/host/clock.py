"""The machine's clocks: wall time, time since boot, and an interruptible wait.

It hands out raw readings. It does not decide what they mean: durable deadlines use provider time, and whether a jump of
a clock may be believed is the engine's business.
"""

import threading
import time
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SystemClock:
    """The clock port over the real machine. Safe to share between threads."""

    def __init__(self, interrupt: threading.Event | None = None) -> None:
        """`interrupt` ends every wait, now and later, once it is set (the daemon's stop event)."""
        self._interrupt = threading.Event() if interrupt is None else interrupt
        self._boot_id = _read_boot_id()

    def utc(self) -> float:
        """Wall time in Unix seconds. May jump in either direction; never measure a duration with it."""
        return time.time()

    def boot(self) -> float:
        """Seconds since boot, suspend included (CLOCK_BOOTTIME); monotonic time where the platform has nothing better.

        Comparable between the processes of one boot only: see `boot_id`.
        """
        if hasattr(time, "CLOCK_BOOTTIME"):
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.monotonic()

    def boot_id(self) -> str:
        """A name of this boot; two readings of `boot()` may be compared only when their names are equal."""
        return self._boot_id

    def wait(self, seconds: float) -> bool:
        """Sleep at most `seconds` (>= 0); True when interrupted, False when the time ran out."""
        return self._interrupt.wait(max(0.0, seconds))

    def interrupt(self) -> None:
        """End all waits, now and later."""
        self._interrupt.set()


def _read_boot_id() -> str:
    """The kernel's random boot id; elsewhere (macOS) the time at which /dev was mounted, which a reboot moves.

    No subprocess and no sysctl: a wrong guess must not cost a start-up. Where even that is missing the answer is one
    constant: leases then rest on their owner locks alone, which die with the machine anyway.
    """
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        pass
    try:
        device_tree = Path("/dev").stat()
    except OSError:
        return "unknown-boot"
    born = getattr(device_tree, "st_birthtime", device_tree.st_ctime)
    return f"dev-{int(born)}"
