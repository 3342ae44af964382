"""The program as a whole: help, options of every verb, unknown verbs, errors to exit codes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rotator import __version__
from rotator.cli import exits
from rotator.cli.main import SECTIONS, app
from rotator.cli.verbs import LogFormat, Output, Settings
from rotator.config.explain import ConfigErrors
from rotator.core.errors import ConfigError, JournalUnsafe, OperatorNeeded, RotatorError
from rotator.core.reasons import OperatorCode

HEAVY = {
    "httpx",
    "boto3",
    "botocore",
    "hvac",
    "sqlalchemy",
    "alembic",
    "uvicorn",
    "starlette",
    "asyncio",
}
VERBS = [verb for _, verbs in SECTIONS for verb in verbs]

MINIMAL = "version: 1\nstate: { url: 'sqlite:///state.db' }\n"


# ----------------------------------------------------------------------------------------- usage errors, for programs
@pytest.mark.parametrize(
    "arguments",
    [
        ("-o", "json", "frobnicate"),
        ("frobnicate", "-o", "json"),
        ("--no-such", "--output=json"),
        ("rotate", "-ojson"),
        ("plan", "--days", "x", "-o", "json"),
        ("rekey", "a", "-o", "json"),
        ("-o", "text", "audit", "verify", "surplus", "-o", "json"),
    ],
)
def test_a_usage_error_is_one_document_where_documents_are_wanted(rotator, arguments):
    shown = rotator(*arguments)
    error = json.loads(shown.out)["error"]

    assert shown.code == 2
    assert error.keys() == {"message", "remedy", "messages"}
    assert error["message"] in shown.err


@pytest.mark.parametrize("arguments", [("frobnicate",), ("-o", "json", "plan", "--days", "x", "-o", "text")])
def test_a_usage_error_for_people_leaves_standard_output_empty(rotator, arguments):
    shown = rotator(*arguments)

    assert (shown.code, shown.out) == (2, "")
    assert shown.err


@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2)])
def test_a_stream_that_was_closed_before_the_start_costs_nothing(tmp_path, closed):
    redirections = " ".join(f"{number}>&-" for number in closed)
    command = f'exec "$0" -m rotator "$@" {redirections}'
    ended = subprocess.run(["sh", "-c", command, sys.executable, "keygen", "key"], cwd=tmp_path, check=False)

    assert ended.returncode == 0
    assert (tmp_path / "key").read_text().count("wrote") == 0


# ----------------------------------------------------------------------------------------------------------------- help
def test_help_lists_every_verb_in_a_section(rotator):
    shown = rotator("--help")
    assert shown.code == 0
    for verb in VERBS:
        assert f"\n  {verb} " in shown.out


def test_every_registered_verb_stands_in_a_section():
    registered = {command.name or command.callback.__name__ for command in app.registered_commands}
    registered |= {group.name for group in app.registered_groups}
    assert registered == {*VERBS, "help"}


@pytest.mark.parametrize("verb", [v for v in VERBS if v not in ("audit", "notify", "state", "token", "testing")])
def test_the_help_of_a_verb_says_what_it_is_for_and_shows_an_example(rotator, verb):
    shown = rotator(verb, "--help")
    assert shown.code == 0
    assert f"    rotator {verb}" in shown.out or "crash" in shown.out
    assert len(shown.out.splitlines()) > 12


@pytest.mark.parametrize("verb", VERBS)
def test_help_fits_into_eighty_columns(rotator, verb):
    assert max(map(len, rotator(verb, "-h").out.splitlines())) <= 80


def test_the_lines_of_a_help_text_are_never_wrapped_anew(rotator):
    from rotator.cli.operate import rotate
    from rotator.cli.verbs import help_text

    shown = rotator("rotate", "--help").out
    for line in help_text(rotate).splitlines():
        assert line.strip("\b") in shown


def test_the_version_can_be_asked_for_as_an_option(rotator):
    assert rotator("--version").out == rotator("-V").out == f"rotator {__version__}\n"


@pytest.mark.parametrize(("words", "option"), [((), ()), (("status",), ("status",)), (("audit", "verify"),) * 2])
def test_help_is_a_verb_too(rotator, words, option):
    assert rotator("help", *words) == rotator(*option, "--help")
    assert rotator("help", "nonsense").code == 2


def test_a_choice_that_does_not_exist_is_said_without_the_words_of_a_library(rotator):
    assert "'yaml' is not one of 'text', 'json'" in rotator("status", "-o", "yaml").err
    assert "Value error" not in rotator("status", "-o", "yaml").err


def test_a_demo_without_an_end_cannot_have_one(rotator):
    assert rotator("demo", "--forever", "--rotations", "3").code == 2


# ---------------------------------------------------------------------------------------------------------------- usage
@pytest.mark.parametrize(
    "arguments", [(), ("no-such-verb",), ("status", "--no-such-option"), ("rotate",), ("-o", "yaml")]
)
def test_a_usage_error_exits_2_and_prints_no_result(rotator, arguments):
    shown = rotator(*arguments)
    assert shown.code == 2
    if arguments:
        assert shown.out == ""


def test_a_misspelt_verb_is_answered_with_the_nearest(rotator):
    assert "'status'" in rotator("stauts").err


@pytest.mark.parametrize("verb", ["test", "show"])
def test_the_verbs_about_one_token_show_examples(rotator, verb):
    assert f"    rotator token {verb} workers-deploy" in rotator("token", verb, "--help").out


# --------------------------------------------------------------------------------------------------- options everywhere
@pytest.mark.parametrize("arguments", [("-c", "FILE", "status"), ("status", "-c", "FILE"), ("status", "--config=FILE")])
def test_the_configuration_may_be_named_before_and_after_the_verb(rotator, tmp_path, arguments):
    file = tmp_path / "other.yaml"
    file.write_text(MINIMAL)
    shown = rotator(*[argument.replace("FILE", str(file)) for argument in arguments])
    assert (shown.code, shown.err) == (0, "")


def test_after_the_verb_an_option_wins(rotator, tmp_path):
    (tmp_path / "rotator.yaml").write_text(MINIMAL)
    assert rotator("-c", "/nowhere.yaml", "status", "-c", str(tmp_path / "rotator.yaml")).code == 0


def test_the_output_may_be_chosen_before_the_verb(rotator):
    assert json.loads(rotator("-o", "json", "version").out)["version"] == __version__


def test_settings_keep_what_is_not_given_again():
    before = Settings(config="a", output=Output.JSON, log_format=LogFormat.CONSOLE)
    assert before.over(None, None, None) == before
    assert before.over("b", Output.TEXT, LogFormat.JSON) == Settings(config="b", log_format=LogFormat.JSON)


def test_the_environment_may_name_the_configuration(rotator, tmp_path, monkeypatch):
    (tmp_path / "named.yaml").write_text(MINIMAL)
    monkeypatch.setenv("ROTATOR_CONFIG", str(tmp_path / "named.yaml"))
    assert rotator("status").code == 0


def test_without_any_configuration_the_places_are_listed(rotator):
    shown = rotator("status")
    assert shown.code == 2
    assert "/etc/rotator/rotator.yaml" in shown.err
    assert "do: " in shown.err


# --------------------------------------------------------------------------------------------------------------- errors
def test_all_errors_of_a_configuration_are_reported_at_once(rotator, tmp_path):
    (tmp_path / "rotator.yaml").write_text("version: 1\nno_such: 1\nhttp: { listen: nowhere }\n")
    shown = rotator("status")
    assert shown.code == 2
    assert shown.err.count("error: rotator.yaml:") == 2
    assert "Traceback" not in shown.err


def test_an_error_is_one_json_document_too(rotator, tmp_path):
    (tmp_path / "rotator.yaml").write_text("version: 1\nno_such: 1\n")
    shown = rotator("status", "-o", "json")
    assert len(json.loads(shown.out)["error"]["messages"]) == 1
    assert shown.code == 2


@pytest.mark.parametrize(
    "error,code",
    [
        (RotatorError("it failed"), 1),
        (JournalUnsafe("it cannot be trusted"), 1),
        (ConfigError("a flag is wrong"), 2),
        (ConfigErrors(["one", "two"]), 2),
        (OperatorNeeded(OperatorCode.REJECTED, "look at it"), 3),
    ],
)
def test_each_error_has_its_exit_code(error, code, capsys):
    def verb():
        raise error

    assert exits.guarded(verb, as_json=False) == code
    assert "error: " in capsys.readouterr().err


def test_the_code_of_an_operator_s_case_is_in_the_document(capsys):
    exits.report(OperatorNeeded(OperatorCode.REJECTED, "look at it"), as_json=True)
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "rejected"


def test_an_error_cannot_steer_the_terminal(capsys):
    exits.report(RotatorError("\x1b[2Jgone", "a\rb"))
    assert all(line.isprintable() for line in capsys.readouterr().err.splitlines())


def test_a_file_that_cannot_be_used_is_an_error_and_no_traceback(capsys):
    def verb():
        raise PermissionError(13, "Permission denied", "/srv/x")

    assert exits.guarded(verb, as_json=False) == 1
    assert capsys.readouterr().err == "error: /srv/x: Permission denied\n"


def test_an_error_of_ours_that_should_not_exist_is_not_hidden():
    def verb():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        exits.guarded(verb, as_json=False)


@pytest.fixture
def heeded():
    """Signals as a terminal's program has them; a suite that was started in the background ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_verb_with_0(number, capsys):
    def verb():
        os.kill(os.getpid(), number)
        signal.pause()
        return 1

    assert exits.guarded(verb, as_json=False) == 0
    assert "interrupted" in capsys.readouterr().err


# --------------------------------------------------------------------------------------------------------------- weight
def imported_by(*arguments, cwd):
    code = (
        "import sys; from rotator.cli.main import app\n"
        "try: app(sys.argv[1:], prog_name='rotator')\n"
        "except SystemExit: pass\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=cwd, capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("verb", [("--help",), ("rotate", "--help"), ("status",), ("plan",), ("history",)])
def test_nothing_heavy_is_imported_to_look(tmp_path, verb):
    (tmp_path / "rotator.yaml").write_text(MINIMAL)
    assert imported_by(*verb, cwd=tmp_path) & HEAVY == set()


def test_help_imports_next_to_nothing(tmp_path):
    heavy = {"pydantic", "ruamel.yaml", "cryptography", "rich", "structlog", "sqlite3", "rotator.core.status"}
    assert imported_by("--help", cwd=tmp_path) & heavy == set()


def test_python_dash_m_is_the_same_program(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "rotator", "version"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"rotator {__version__} ")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_document_is_json_in_every_locale(tmp_path, encoding):
    (tmp_path / "rotator.yaml").write_text("version: 1\né…: 1\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "rotator", "check", "-o", "json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert "é…" in json.loads(done.stdout.decode(encoding))["findings"][0]["message"]


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "rotator", "schema"],
        cwd=tmp_path,
        stdout=_closed_pipe(),
        stderr=subprocess.PIPE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a device that is always full")


@needs_full
@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("version",), ("-o", "json", "version")])
def test_a_result_that_cannot_be_written_is_an_error_and_no_traceback(tmp_path, arguments):
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "rotator", *arguments],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("error: writing to standard output: No space left on device\ndo: ")
    assert len(done.stderr.splitlines()) == 2


@needs_full
@pytest.mark.parametrize("arguments", [("frobnicate",), ("status", "-c", "nowhere.yaml")])
@pytest.mark.parametrize("stdout", ["a reader that went away", "a full device"])
def test_an_error_keeps_its_exit_code_and_its_words_where_its_document_is_not_taken(tmp_path, arguments, stdout):
    taken = _closed_pipe() if stdout == "a reader that went away" else os.open(FULL, os.O_WRONLY)
    done = subprocess.run(
        [sys.executable, "-m", "rotator", *arguments, "-o", "json"],
        cwd=tmp_path,
        stdout=taken,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(taken)
    assert done.returncode == 2
    assert "frobnicate" in done.stderr or "nowhere.yaml" in done.stderr
    assert "Traceback" not in done.stderr


@needs_full
def test_an_error_keeps_its_exit_code_where_standard_error_is_full(tmp_path):
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "rotator", "status", "-c", "nowhere.yaml"], cwd=tmp_path, stderr=full, check=False
        )
    assert done.returncode == 2


def _closed_pipe():
    reading, writing = os.pipe()
    os.close(reading)
    return writing
