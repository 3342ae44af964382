"""One JSON object per line, events of the closed list, no values; nothing that is said can harm who says it."""

import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.core.errors import Unavailable
from rotator.core.events import Event
from rotator.core.secret import Secret
from rotator.observability.logs import LIBRARY, NOISY, Log, configure
from rotator.observability.redact import MASK
from tests.unit.observability.conftest import Lines

CANARY = "cfXX_0123CANARYabcdefghijklmnopqrstuvwxyz45"


# ------------------------------------------------------------------------------------------------------------- the line
def test_a_line_is_one_json_object_with_event_level_and_utc_time(log: Log, lines: Lines) -> None:
    log.event(Event.ROTATION_PLANNED, credential="dns", attempt=1)

    [line] = lines.json
    assert datetime.fromisoformat(line.pop("timestamp").removesuffix("Z") + "+00:00").tzinfo is UTC
    assert line == {"event": "rotation_planned", "level": "info", "credential": "dns", "attempt": 1}


def test_the_time_ends_in_z(log: Log, lines: Lines) -> None:
    log.event("fact")

    assert lines.json[0]["timestamp"].endswith("Z")


@pytest.mark.parametrize("event", list(Event))
def test_every_event_is_said_at_its_own_level(event: Event, log: Log, lines: Lines) -> None:
    log.event(event.value)

    assert (lines.json[0]["event"], lines.json[0]["level"]) == (event.value, event.level)


def test_lines_below_the_level_are_not_said(logging_to: Callable[..., Log], lines: Lines) -> None:
    log = logging_to("warning")
    log.event(Event.ROTATION_PLANNED)
    log.event(Event.VALUE_DEAD)

    assert [line["event"] for line in lines.json] == ["value_dead"]


def test_what_is_bound_stands_in_every_line_of_the_block(log: Log, lines: Lines) -> None:
    with log.bound(credential="dns", rotation="r1"), log.bound(step="captured"):
        log.event(Event.FACT, target="vault:a")
    log.event(Event.FACT)

    inner, outer = lines.json
    assert (inner["credential"], inner["rotation"], inner["step"], inner["target"]) == (
        "dns",
        "r1",
        "captured",
        "vault:a",
    )
    assert "credential" not in outer


def test_an_unknown_event_is_an_internal_error_in_production(log: Log, lines: Lines) -> None:
    log.event("rotation_explodiert", credential="dns")

    [line] = lines.json
    assert (line["event"], line["level"], line["credential"]) == ("internal_error", "error", "dns")
    assert "rotation_explodiert" in line["message"]


def test_an_unknown_event_raises_in_tests(logging_to: Callable[..., Log]) -> None:
    with pytest.raises(ValueError, match="rotation_explodiert"):
        logging_to(strict=True).event("rotation_explodiert")


def test_fields_cannot_replace_what_every_line_has(log: Log, lines: Lines) -> None:
    log.event(Event.FACT, level="error", timestamp="never", event="other")

    line = lines.json[0]
    assert (line["event"], line["level"]) == ("fact", "debug")
    assert line["timestamp"] != "never"


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError(CANARY)


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError(CANARY)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Secret(CANARY), "<secret>"),
        ({"deep": [Secret(CANARY)]}, {"deep": ["<secret>"]}),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        (Unavailable("Vault does not answer"), "Vault does not answer"),
        (ValueError("bad"), "ValueError: bad"),
        (ValueError(), "ValueError"),
        (Mute(), "Mute"),
        (datetime(2026, 11, 22, 10, tzinfo=timezone(timedelta(hours=1))), "2026-11-22T09:00:00Z"),
        (datetime(2026, 11, 22, 10), "2026-11-22T10:00:00Z"),  # noqa: DTZ001 - naive on purpose
        (date(2026, 11, 22), "2026-11-22"),
        (Event.FACT, "fact"),
        (frozenset({"a"}), ["a"]),
        ((1, 2.5, None, True), [1, 2.5, None, True]),
        (Path("/srv"), "PosixPath('/srv')"),
        (b"\xff", "b'\\xff'"),
        (Broken(), "<Broken without a text form>"),
        ({1: {2: {3: {4: {5: {6: {7: 8}}}}}}}, {"1": {"2": {"3": {"4": {"5": {"6": "..."}}}}}}),
        ("x" * 9000, "x" * 8000 + "... (9000 characters)"),
    ],
)
def test_any_value_of_a_field_becomes_plain_data(value: object, shown: object, log: Log, lines: Lines) -> None:
    log.event(Event.FACT, field=value)

    assert lines.json[0]["field"] == shown


@settings(max_examples=60)
@given(st.dictionaries(st.text(max_size=8), st.text(max_size=20) | st.floats() | st.integers(), max_size=4))
def test_nothing_in_a_field_can_make_a_second_line_or_a_terminal_obey(fields: dict) -> None:
    stream = io.StringIO()
    log = configure("debug", "json", stream)
    try:
        log.event(Event.FACT, field=fields, **{"odd\nkey\x1b[2J": "\x7f"})
    finally:
        log.close()

    [line, end] = stream.getvalue().split("\n")
    assert end == ""
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["event"] == "fact"


def test_on_a_terminal_control_characters_are_shown_not_obeyed(logging_to: Callable[..., Log], lines: Lines) -> None:
    log = logging_to(format="console")
    log.event(Event.ROTATION_PLANNED, credential="evil\x1b[2J\r\n\u202etxt", deep={"k": ["\x1b]0;x\x07"]})

    [line] = lines.getvalue().splitlines()
    assert line.isprintable()
    assert "rotation_planned" in line


def test_auto_is_json_where_there_is_no_terminal(logging_to: Callable[..., Log], lines: Lines) -> None:
    logging_to(format="auto").event(Event.FACT)

    assert lines.json


def test_auto_is_readable_on_a_terminal() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    log = configure("debug", "auto", stream)
    log.event(Event.FACT, credential="dns")
    log.close()

    assert "\x1b[" in stream.getvalue()
    assert "dns" in stream.getvalue()


def test_a_stream_that_cannot_say_what_it_is_gets_json() -> None:
    stream = io.StringIO()
    stream.close()
    log = configure("debug", "auto", stream)
    log.event(Event.FACT)
    log.close()

    assert log.dropped == 1


def test_standard_error_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    log = configure("debug", "json")
    log.event(Event.FACT)
    log.close()

    assert json.loads(capsys.readouterr().err)["event"] == "fact"


# ----------------------------------------------------------------------------------------------------------- no secrets
def leak(value: str) -> None:
    local = SimpleNamespace(token=value)
    raise RuntimeError(f"refused: {local.token}")


@pytest.mark.parametrize("format", ["json", "console"])
def test_a_registered_value_appears_in_no_line(format: str, logging_to: Callable[..., Log], lines: Lines) -> None:
    log = logging_to(format=format, hooks=True)
    log.redactor.add(Secret(CANARY))
    log.event(Event.FACT, plain=CANARY, deep={"list": [f"x{CANARY}y"], CANARY: 1}, cut=CANARY[5:25])
    try:
        leak(CANARY)
    except RuntimeError as error:
        log.event(Event.TICK_FAILED, error=error, exc_info=True)
        log.event(Event.TICK_FAILED, exc_info=error)
        logging.getLogger("httpx").exception("while sending %s", CANARY)
        sys.excepthook(type(error), error, error.__traceback__)
    thread = threading.Thread(target=leak, args=(CANARY,))
    thread.start()
    thread.join()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"deprecated {CANARY}", RuntimeWarning, stacklevel=1)
    with log.bound(credential=CANARY):
        log.event(CANARY)

    text = lines.getvalue()
    found = {CANARY[i : i + 8] for i in range(len(CANARY) - 7)}
    assert not {piece for piece in found if piece in text}
    assert text.count(MASK) >= 10
    assert "leak" in text  # the tracebacks are there


def test_a_traceback_has_no_local_variables(log: Log, lines: Lines) -> None:
    try:
        secret_of_nobody = "local-variable-content"
        raise RuntimeError("x")
    except RuntimeError:
        log.event(Event.INTERNAL_ERROR, exc_info=True)

    assert secret_of_nobody not in lines.getvalue()
    assert lines.json[0]["exception"][0]["frames"]


def test_a_secret_that_looks_like_the_line_itself_does_not_break_it(log: Log, lines: Lines) -> None:
    log.redactor.add(Secret('","event":"fact'))
    log.event(Event.FACT, credential="dns")

    [line] = lines.json
    assert (line["event"], line["message"]) == ("internal_error", "a log line held a secret and was dropped")


# ------------------------------------------------------------------------------------------------ nobody else's way in
@pytest.mark.parametrize("name", NOISY)
def test_libraries_never_say_less_than_a_warning(
    name: str, log: Log, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(name), "propagate", True)  # a server of an earlier test may have silenced it
    logging.getLogger(name).info("request body")
    logging.getLogger(name).debug("request header")
    logging.getLogger(name).warning("hm")

    assert [line["message"] for line in lines.json] == ["hm"]


def test_a_library_that_turns_itself_loud_stays_at_warnings(log: Log, lines: Lines) -> None:
    loud = logging.getLogger("a.loud.library")
    loud.setLevel(logging.DEBUG)
    loud.debug("request body")

    assert lines.getvalue() == ""


def test_a_library_line_has_the_same_shape(log: Log, lines: Lines) -> None:
    with log.bound(credential="dns"):
        logging.getLogger("urllib3.connectionpool").critical("the pool of %s is full", "a host")

    [line] = lines.json
    line.pop("timestamp")
    assert line == {
        "level": "error",
        "event": LIBRARY,
        "credential": "dns",
        "logger": "urllib3.connectionpool",
        "message": "the pool of a host is full",
    }


def test_a_library_that_formats_wrongly_is_heard_all_the_same(log: Log, lines: Lines) -> None:
    logging.getLogger("x").warning("%d items", "many")

    assert lines.json[0]["message"] == "%d items"


def test_a_second_configuration_replaces_the_first(logging_to: Callable[..., Log], lines: Lines) -> None:
    logging_to()
    logging_to()
    logging.getLogger("x").warning("once")

    assert len(lines.json) == 1


def test_close_gives_logging_and_the_hooks_back() -> None:
    before = (sys.excepthook, threading.excepthook, sys.unraisablehook, list(logging.getLogger().handlers))
    configure("info", "json", io.StringIO(), hooks=True).close()

    assert (sys.excepthook, threading.excepthook, sys.unraisablehook, logging.getLogger().handlers) == before


def test_uncaught_errors_are_internal_errors(logging_to: Callable[..., Log], lines: Lines) -> None:
    logging_to(hooks=True)
    error = RuntimeError("lost")
    sys.excepthook(RuntimeError, error, None)
    sys.unraisablehook(SimpleNamespace(exc_type=RuntimeError, exc_value=error, exc_traceback=None))
    sys.unraisablehook(SimpleNamespace(exc_type=RuntimeError, exc_value=None, exc_traceback=None))

    assert [line["event"] for line in lines.json] == ["internal_error", "internal_error"]


def test_an_interrupt_or_an_exit_is_no_error(logging_to: Callable[..., Log], lines: Lines) -> None:
    logging_to(hooks=True)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    thread = threading.Thread(target=sys.exit)
    thread.start()
    thread.join()

    assert lines.getvalue() == ""


# ------------------------------------------------------------------------------------------------------------ observers
def test_observers_hear_every_event_with_what_is_bound_at_any_level(logging_to: Callable[..., Log]) -> None:
    log, heard = logging_to("error"), []
    log.subscribe(lambda event, fields: heard.append((event, dict(fields))))
    with log.bound(credential="dns"):
        log.event("fact", target="t")

    assert heard == [(Event.FACT, {"credential": "dns", "target": "t"})]


def test_an_observer_that_fails_harms_neither_the_speaker_nor_the_line(log: Log, lines: Lines) -> None:
    log.subscribe(lambda event, fields: 1 / 0)
    log.event(Event.FACT)

    assert [line["event"] for line in lines.json] == ["internal_error", "fact"]


def test_rendering_that_fails_is_said_and_not_raised(log: Log, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_render", lambda entry: 1 / 0)
    log.event(Event.FACT)

    assert lines.json[0]["message"] == "a log line could not be rendered"
