"""The hooks of `after_publish` as the engine runs them: touch a file, signal a process, run a command."""

from __future__ import annotations

import errno
import os
import signal
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rotator.config.hooks import HookStanza
from rotator.config.models import TargetStanza
from rotator.core.errors import Refused
from rotator.core.ports.hook import Publicized
from rotator.host.commands import find, run

TIMEOUT: Final = 30.0
"""Seconds that a command may take where nothing else is configured."""


@dataclass(frozen=True, slots=True)
class ConfiguredHook:
    """One hook of a target; `name` says which of them it is and what it does."""

    name: str
    stanza: HookStanza

    def run(self, told: Publicized, still_mine: Callable[[], None]) -> None:
        """Do it once. See `rotator.core.ports.hook.Hook`."""
        stanza = self.stanza
        if stanza.touch is not None:
            _touch(stanza.touch)
        elif stanza.signal is not None:
            _signal(stanza.signal.pid_file, signal.Signals[f"SIG{stanza.signal.signal}"])
        else:
            more = {
                "ROTATOR_CREDENTIAL": told.credential,
                "ROTATOR_TARGET": told.target,
                "ROTATOR_GENERATION": str(told.generation),
            }
            run(stanza.command or [], more, stanza.timeout or TIMEOUT, still_mine)

    def look(self) -> None:
        """See whether it could be done now, and change nothing.

        Raises:
            Refused: it would fail now. A command is looked for and not started.
        """
        stanza = self.stanza
        if stanza.touch is not None:
            _may_touch(stanza.touch)
        elif stanza.signal is not None:
            _send(_process_of(stanza.signal.pid_file), 0)
        else:
            find((stanza.command or [""])[0])


def hooks_of(target: TargetStanza) -> Sequence[ConfiguredHook]:
    """Return the hooks of a target, in the order in which they are written."""
    stanzas = target.common.after_publish or ()
    return [ConfiguredHook(f"{number}. {stanza.said}", stanza) for number, stanza in enumerate(stanzas, 1)]


def _touch(path: Path) -> None:
    try:
        os.utime(path)
    except OSError as error:
        raise _untouchable(error) from None


def _may_touch(path: Path) -> None:
    """Whether `_touch` would work: its owner may, and whoever may write the file."""
    try:
        owner = path.stat().st_uid
    except OSError as error:
        raise _untouchable(error) from None
    if os.geteuid() != owner and not os.access(path, os.W_OK):
        raise _untouchable(PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def _untouchable(error: OSError) -> Refused:
    return Refused(f"the file cannot be touched: {error.strerror}", "check the path and who owns the file")


def _signal(pid_file: Path, number: signal.Signals) -> None:
    _send(_process_of(pid_file), number)


def _process_of(pid_file: Path) -> int:
    """Return the process of a pid file that nobody but its owner and root can have written."""
    try:
        with open(pid_file, "rb", opener=_at_once) as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(32) if stat.S_ISREG(mode) else b""
    except OSError as error:
        raise Refused(
            f"the pid file cannot be read: {error.strerror}", "start the program, or correct the path"
        ) from None
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Refused("others may write the pid file, and so say whom to signal", f"chmod go-w {pid_file}")
    text = content.strip()
    pid = int(text) if text.isdigit() else 0
    if pid <= 1:
        raise Refused("the pid file holds no number of a process", "correct the path")
    return pid


def _at_once(path: str, flags: int) -> int:
    """Open without waiting: a pipe in the place of the file would hold us up until somebody writes."""
    return os.open(path, flags | os.O_NONBLOCK)


def _send(pid: int, number: int) -> None:
    """Send a signal; 0 sends none and only asks whether one could be sent."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, OverflowError):
        raise Refused(
            "no process has the number in the pid file", "start the program; it reads the file itself"
        ) from None
    except PermissionError:
        raise Refused("this user may not signal that process", "run both as one user, or use a command") from None
