"""What the system may keep of this process when it dies: not its memory, in which values are."""

from __future__ import annotations

import resource


def forbid_core_dumps() -> None:
    """Let no crash write the memory of this process, or of a hook that it starts, to a disk: setrlimit(2), core(5).

    The limit is the soft one: whoever hunts a crash raises it in a hook with `ulimit -c`. A collector that the kernel
    pipes to (systemd-coredump) keeps nothing either, for it heeds the limit of who died.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
