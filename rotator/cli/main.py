"""The program `rotator`: global options, the sections of `--help`, and all verbs.

Before a verb has its `Settings` there is only the command line itself to say how an error is wanted: a usage error is
one JSON document, too, where `-o json` stands on it.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from rotator import __version__
from rotator.cli import (
    acknowledge,
    adopt,
    audit,
    bootstrap,
    check,
    execute,
    exits,
    forget,
    init,
    inventory,
    keys,
    notify,
    operate,
    past,
    permissions,
    revoke,
    run,
    show,
    state,
    token,
    tools,
)
from rotator.cli.output import discard, unwritten, write_error
from rotator.cli.verbs import Config, LogFormatOption, OutputOption, Settings
from rotator.host.core_dumps import forbid_core_dumps

SECTIONS: Final = (
    ("Try it", ("demo", "sandbox")),
    ("Run", ("run", "once", "exec")),
    (
        "Look",
        ("status", "plan", "history", "report", "check", "permissions", "token", "discover", "audit", "healthcheck"),
    ),
    ("Act", ("rotate", "revoke", "pause", "resume", "resolve", "ack", "forget")),
    ("Keep", ("notify", "state", "backup", "restore", "rekey")),
    ("Set up", ("init", "bootstrap", "adopt", "keygen", "schema", "version", "testing")),
)
"""The verbs in the order in which `--help` shows them."""

HELP: Final = """Keeps Cloudflare API tokens fresh: makes the successor ahead of time, proves it,
publishes it to Vault, AWS Secrets Manager and .env files, and retires the old one
when nobody uses it any more. A value that is shown once is never lost.

\b
  rotator demo                      see it work, without an account
  rotator check                     is everything in place?
  rotator run                       the daemon
  rotator status                    what is fresh, what is stuck, and why

\b
Exit codes: 0 done; 1 the answer is no, or something failed;
2 usage or configuration error; 3 needs an operator.
"""


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether the last word of a command line on `-o` is json."""
    wanted = ""
    for word, after in itertools.pairwise((*arguments, "")):
        if word in ("-o", "--output"):
            wanted = after
        elif word.startswith("--output="):
            wanted = word.partition("=")[2]
        elif word.startswith("-o"):
            wanted = word[2:].removeprefix("=")
    return wanted == "json"


class Program(TyperGroup):
    """The group of all verbs, in sections."""

    json = False

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **more: Any) -> Any:
        """Read what stands before the verb."""
        self.json = wants_json(args)
        with self._documented():
            return super().make_context(info_name, args, *rest, **more)

    def invoke(self, ctx: Any) -> Any:
        """Read what stands after the verb, and run it."""
        with self._documented():
            return super().invoke(ctx)

    def misused(self, message: str, remedy: str) -> None:
        """Write the document of a usage error where one is wanted; what people read of it is the caller's to say."""
        if self.json:
            write_error({"message": message, "remedy": remedy, "messages": [message]})

    @contextlib.contextmanager
    def _documented(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if getattr(error, "exit_code", None) == exits.USAGE and hasattr(error, "format_message"):
                if isinstance(said := getattr(error, "message", None), str):
                    error.message = said.replace("Value error, ", "")  # type: ignore[attr-defined]  # what pydantic adds
                self.misused(error.format_message(), "`--help` after the verb shows how it is used")
            raise

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the verbs, section by section."""
        for title, names in SECTIONS:
            rows = [(name, self.commands[name].get_short_help_str(60)) for name in names if name in self.commands]
            with formatter.section(title):
                formatter.write_dl(rows)


app = typer.Typer(
    name="rotator",
    cls=Program,
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88},
)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"rotator {__version__}\n")
        raise typer.Exit()


@app.callback()
def program(
    context: typer.Context,
    config: Config = None,
    output: OutputOption = None,
    log_format: LogFormatOption = None,
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Remember what stands before the verb; no verb leaves its memory on a disk, but what `exec` starts may."""
    if context.invoked_subcommand != "exec":
        forbid_core_dumps()
    context.obj = Settings().over(config, output, log_format)


@app.command("help", hidden=True, add_help_option=False)
def _help(words: Annotated[list[str] | None, typer.Argument(metavar="VERB", help="Which one.")] = None) -> None:
    """Show this help, or that of a verb."""
    app([*(words or []), "--help"], prog_name="rotator")


for _module in (
    *(tools, keys, run, execute, show, past, check, audit, permissions, token, inventory, adopt, operate, revoke),
    *(notify, acknowledge, forget, init, bootstrap, state),
):
    _module.register(app)


def open_streams() -> None:
    """Put /dev/null where standard input, output or error was closed before the start.

    The next file that is opened would get its number otherwise: the journal, say, and then what is printed goes there.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def main() -> None:
    """Run the program and end the process with its exit code."""
    open_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a strange locale must not cost a result
    try:
        app(prog_name="rotator")
    except OSError as error:  # what the verbs write is guarded; this was --help or --version
        discard()
        sys.exit(exits.report(unwritten(error)))
