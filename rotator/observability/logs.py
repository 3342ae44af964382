"""The log: one JSON object per line with an event of the closed list, or readable lines on a terminal.

Our own events and what libraries say through `logging` take the same way: plain data, no local variables in
tracebacks, secrets scrubbed from the finished line, and a sink that drops rather than blocks. Saying something never
raises and never decides anything; whoever wants to count or notify subscribes to the events.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO

from rotator.core.events import Event
from rotator.observability.loggable import plain, printable
from rotator.observability.quick import bound_contextvars, get_contextvars, structlog
from rotator.observability.redact import Redactor
from rotator.observability.sink import Sink

if TYPE_CHECKING:
    from structlog.typing import EventDict

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "json", "console"]
Observer = Callable[[Event, Mapping[str, object]], None]

LEVELS: Final[Mapping[str, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

EVENTS: Final[Mapping[str, Event]] = {event.value: event for event in Event}

LIBRARY: Final = Event.LIBRARY_MESSAGE.value
"""The event of a line that a library said; `logger` names it, `message` is what it said."""

NOISY: Final = (
    "alembic",
    "asyncio",
    "boto3",
    "botocore",
    "hpack",
    "httpcore",
    "httpx",
    "hvac",
    "requests",
    "s3transfer",
    "sqlalchemy",
    "sqlalchemy.engine",
    "sqlalchemy.pool",
    "urllib3",
    "uvicorn",
    "uvicorn.access",
    "uvicorn.error",
)
"""Never below WARNING, whatever our own level is: their debug lines hold headers and bodies."""

UNPRINTABLE: Final = '{{"timestamp":"{0}","level":"error","event":"internal_error","message":"a log line {1}"}}'


class Log:
    """Says events. Safe to share between threads; `configure` makes one."""

    def __init__(self, level: Level, render: Callable[[EventDict], str], sink: Sink, redactor: Redactor) -> None:
        """`render` turns one line's plain data into text; `redactor` scrubs that text; `sink` takes it."""
        self.redactor = redactor
        self.strict = False
        self._threshold = LEVELS[level]
        self._render = render
        self._sink = sink
        self._observers: list[Observer] = []
        self._undo: list[Callable[[], None]] = []

    @property
    def dropped(self) -> int:
        """How many lines the stream did not take."""
        return self._sink.dropped

    def set_level(self, level: Level) -> None:
        """Take another least level for our own lines, from the next one on."""
        self._threshold = LEVELS[level]

    def event(self, name: str, /, **fields: object) -> None:
        """Say that something happened, with what is bound and `fields`; never raises and never blocks for long.

        Args:
            name: a member of `Event`, or its value. An unknown one is said as `internal_error`.
            **fields: plain data; an error may be given as `error`, and with `exc_info=True` or `exc_info=ERROR` its
                traceback is added, without local variables. Never a value; a `Secret` shows as a placeholder.

        Raises:
            ValueError: the name is unknown and the log is strict (in tests).
        """
        event = EVENTS.get(name)
        if event is None:
            if self.strict:
                raise ValueError(f"{name!r} is no event of rotator.core.events")
            event, fields = Event.INTERNAL_ERROR, {**fields, "message": f"the event {name!r} is not in the list"}
        merged = {**get_contextvars(), **fields}
        for observer in self._observers:
            try:
                observer(event, merged)
            except Exception as error:  # noqa: BLE001 - an observer must not harm the rotation that speaks
                self._say(Event.INTERNAL_ERROR.value, "error", {"message": "an observer failed", "exc_info": error})
        self._say(event.value, event.level, merged)

    def bound(self, **fields: object) -> AbstractContextManager[None]:
        """Within the block, every line of this context (thread, or job started from it) carries `fields`."""
        return bound_contextvars(**fields)

    def subscribe(self, observer: Observer) -> None:
        """Call `observer(event, fields)` for every event from now on, in the thread that says it, at any log level."""
        self._observers.append(observer)

    def library(self, logger: str, level: str, message: str, exc_info: object = None) -> None:
        """Say what a library logged; its severity is one of ours."""
        self._say(
            LIBRARY,
            level,
            {**get_contextvars(), "logger": logger, "message": message, "exc_info": exc_info},
        )

    def close(self) -> None:
        """Give `logging` and the hooks of the interpreter back as they were."""
        while self._undo:
            self._undo.pop()()

    def _say(self, event: str, level: str, fields: Mapping[str, object]) -> None:
        if LEVELS[level] < self._threshold:
            return
        now = _now()
        try:
            raised = _exc_info(fields.get("exc_info"))
            body = {key: plain(value) for key, value in fields.items() if key not in _RESERVED}
            line = self._render({"timestamp": now, "level": level, "event": event, **body, "exc_info": raised})
            clean = self.redactor.scrub(line)
            if clean is not line and line.startswith("{") and json.loads(clean).get("event") != event:
                raise ValueError("a secret that looks like punctuation broke the line for its readers")
        except ValueError:
            clean = UNPRINTABLE.format(now, "held a secret and was dropped")
        except Exception:  # noqa: BLE001 - saying something must never be what fails
            clean = UNPRINTABLE.format(now, "could not be rendered")
        self._sink.write(clean)


def configure(
    level: Level = "info",
    format: Format = "auto",
    stream: TextIO | None = None,
    *,
    redactor: Redactor | None = None,
    strict: bool = False,
    hooks: bool = False,
) -> Log:
    """Route all logging of this process to one stream and return the log.

    Args:
        level: our own least level; libraries stay at WARNING or above.
        format: `auto` is console on a terminal and JSON lines elsewhere.
        stream: standard error by default.
        redactor: where live secrets are registered; a new one by default (`log.redactor`).
        strict: an unknown event raises (tests).
        hooks: uncaught exceptions of any thread are said as `internal_error`, so that no traceback bypasses the
            scrubbing; for the daemon.

    A second call replaces the first one's handler. `Log.close` undoes everything.
    """
    out = stream if stream is not None else sys.stderr
    terminal = _is_terminal(out)
    console = format == "console" or (format == "auto" and terminal)
    log = Log(level, _console(colors=terminal) if console else _json(), Sink(out), redactor or Redactor())
    log.strict = strict
    _capture_libraries(log)
    if hooks:
        _capture_uncaught(log)
    return log


# ------------------------------------------------------------------------------------------------------------ rendering
_RESERVED: Final = frozenset({"timestamp", "level", "event", "exc_info", "exception", "stack_info"})
_stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)


def _now() -> str:
    return str(_stamp(None, "", {})["timestamp"])


def _json() -> Callable[[EventDict], str]:
    errors = structlog.processors.ExceptionRenderer(
        structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=30)
    )
    lines = structlog.processors.JSONRenderer(separators=(",", ":"), allow_nan=False)

    def render(entry: EventDict) -> str:
        line = lines(None, "", errors(None, "", entry))
        return line if isinstance(line, str) else line.decode()

    return render


def _console(*, colors: bool) -> Callable[[EventDict], str]:
    lines = structlog.dev.ConsoleRenderer(
        colors=colors, exception_formatter=structlog.dev.plain_traceback, sort_keys=False, pad_event_to=24
    )
    errors = structlog.processors.format_exc_info

    def render(entry: EventDict) -> str:
        shown = {key: value if key == "exc_info" else _shown(value) for key, value in entry.items()}
        shown = dict(errors(None, "", shown))
        if isinstance(found := shown.get("exception"), str):
            shown["exception"] = printable(found, keep="\n")
        return lines(None, "", shown)

    return render


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list | dict):
        return printable(json.dumps(value, ensure_ascii=False))
    return value


def _exc_info(given: object) -> object:
    if isinstance(given, BaseException):
        return (type(given), given, given.__traceback__)
    found = sys.exc_info() if given is True else given
    return found if isinstance(found, tuple) and len(found) == 3 and found[1] is not None else None


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False


# ---------------------------------------------------------------------------------------------- everything else's way
class _Handler(logging.Handler):
    """Takes what libraries log."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Say the record; one whose arguments do not fit its text is said as it stands."""
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - the library's mistake
            message = str(record.msg)
        level = "error" if record.levelno >= logging.ERROR else "warning"
        self._log.library(record.name, level, message, record.exc_info)


def _capture_libraries(log: Log) -> None:
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if isinstance(handler, _Handler)]:
        root.removeHandler(old)
    handler, before = _Handler(log), root.level
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    raising, logging.raiseExceptions = logging.raiseExceptions, False
    logging.captureWarnings(True)

    def undo() -> None:
        root.removeHandler(handler)
        root.setLevel(before)
        logging.captureWarnings(False)
        logging.raiseExceptions = raising

    log._undo.append(undo)


def _capture_uncaught(log: Log) -> None:
    before = sys.excepthook, threading.excepthook, sys.unraisablehook

    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        log.event(Event.INTERNAL_ERROR, message="an error was not handled", exc_info=error.with_traceback(trace))

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
            uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    def unraisable(args: Any) -> None:
        if args.exc_value is not None:
            uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    sys.excepthook, threading.excepthook, sys.unraisablehook = uncaught, in_thread, unraisable

    def undo() -> None:
        sys.excepthook, threading.excepthook, sys.unraisablehook = before

    log._undo.append(undo)
