"""Exit codes, and what an error prints: message and remedy, no traceback.

0 done; 1 the answer is no, or something failed; 2 usage or configuration error; 3 needs an operator (3 beats 1).
Ctrl-C and SIGTERM end a verb with 0: whatever was under way is durable and goes on with the next process.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final, NoReturn

from rotator.cli.output import discard, say, write_error
from rotator.core.errors import Absent, OperatorNeeded, RotatorError
from rotator.host.threads import exhaustion

DONE: Final = 0
NO: Final = 1
USAGE: Final = 2
OPERATOR: Final = 3


def guarded(verb: Callable[[], int], *, as_json: bool, absent: int = USAGE) -> int:
    """Run a verb and return its exit code; every foreseeable error is said on standard error.

    Args:
        verb: the work; returns an exit code.
        as_json: whether standard output must hold one JSON document, an error's included.
        absent: the exit code where something that was named does not exist.
    """
    _interrupt_on_sigterm()
    try:
        return verb()
    except Absent as error:
        report(error, as_json=as_json)
        return absent
    except RotatorError as error:
        return report(error, as_json=as_json)
    except BrokenPipeError:
        discard()  # the reader went away; nothing is left to say
        return DONE
    except OSError as error:
        limit = exhaustion(error)
        if limit is not None:
            return report(limit, as_json=as_json)
        where = f"{error.filename}: " if error.filename else ""
        return report(RotatorError(f"{where}{error.strerror or error}"), as_json=as_json)
    except (MemoryError, ImportError, RuntimeError) as error:
        limit = exhaustion(error)
        if limit is None:
            raise
        return report(limit, as_json=as_json)
    except KeyboardInterrupt:
        say("interrupted; what is under way is durable and goes on with the next process")
        return DONE


def report(error: RotatorError, *, as_json: bool = False) -> int:
    """Say an error and what to do next; return its exit code."""
    messages = list(getattr(error, "messages", ())) or [error.message]
    if as_json:
        document = {"message": error.message, "remedy": error.remedy or None, "messages": messages}
        if isinstance(error, OperatorNeeded):
            document["code"] = error.code
        write_error(document)
    for message in messages:
        say(f"error: {message}")
    if error.remedy:
        say(f"do: {error.remedy}")
    return error.exit_code


def _interrupt_on_sigterm() -> None:
    """Let SIGTERM end a verb as Ctrl-C does, until somebody who drives takes both signals over."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, stop)
