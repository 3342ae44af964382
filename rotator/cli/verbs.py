"""How a function becomes a verb: it takes `Settings` first, gets the options of every verb, and returns an exit code.

`-c`, `-o` and `--log-format` stand before or after the verb; after it they win.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from rotator.cli import exits
from rotator.core.errors import ConfigError


class Output(StrEnum):
    """How a result is printed."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


class Common(StrEnum):
    """How the result of most verbs is printed."""

    TEXT = "text"
    JSON = "json"


COMMON: Final = (Output.TEXT, Output.JSON)
"""What every verb can print; the others only where a verb says so."""


class LogFormat(StrEnum):
    """How log lines are printed."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


Config = Annotated[
    str | None,
    typer.Option(
        "-c", "--config", metavar="FILE", help="The configuration; else ROTATOR_CONFIG, else the usual places."
    ),
]
_OUTPUT: Final = typer.Option("-o", "--output", help="How the result is printed on standard output.")
OutputOption = Annotated[Output | None, _OUTPUT]
CommonOption = Annotated[Common | None, _OUTPUT]
LogFormatOption = Annotated[
    LogFormat | None, typer.Option("--log-format", help="Log lines on standard error; auto: console on a terminal.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the options that every verb has came to.

    Attributes:
        config: value of `-c`, or None.
        output: text or JSON.
        log_format: format of the log, None for what the configuration says.
    """

    config: str | None = None
    output: Output = Output.TEXT
    log_format: LogFormat | None = None

    @property
    def json(self) -> bool:
        """Whether the result is one JSON document."""
        return self.output is Output.JSON

    @property
    def path(self) -> Path:
        """The configuration file.

        Raises:
            ConfigError: nothing is named and nothing is found.
        """
        from rotator.config.find import find

        return find(self.config)

    def over(self, config: str | None, output: Output | Common | None, log_format: LogFormat | None) -> Settings:
        """Return these settings with what is given instead."""
        return replace(
            self,
            config=config or self.config,
            output=Output(output.value) if output else self.output,
            log_format=log_format or self.log_format,
        )


_SHARED: Final = (("config", Config), ("output", CommonOption), ("log_format", LogFormatOption))

Verb = Callable[..., int]


def verb(
    app: typer.Typer,
    name: str | None = None,
    *,
    prints: tuple[Output, ...] = COMMON,
    absent: int = exits.USAGE,
    **more: Any,
) -> Callable[[Verb], Verb]:
    """Register a function `(settings, ...) -> exit code` as a verb of `app`; `more` goes to typer.

    Args:
        app: where it is registered.
        name: of the verb, by default the function's.
        prints: what it can print its result as.
        absent: its exit code where something that was named does not exist.
        more: for typer.
    """

    def register(function: Verb) -> Verb:
        signature = inspect.signature(function, eval_str=True)
        own = [p for p in signature.parameters.values() if p.name != "settings"]
        kinds = inspect.Parameter
        context = kinds("context", kinds.KEYWORD_ONLY, annotation=typer.Context)
        options = dict(_SHARED) | ({"output": OutputOption} if prints != COMMON else {})
        shared = [kinds(key, kinds.KEYWORD_ONLY, default=None, annotation=kind) for key, kind in options.items()]
        parameters = [context, *(p.replace(kind=kinds.KEYWORD_ONLY) for p in own), *shared]

        def printable(settings: Settings) -> Settings:
            if settings.output not in prints:
                known = ", ".join(prints)
                raise ConfigError(f"this verb prints no {settings.output.value}", f"-o with one of {known}")
            return settings

        @functools.wraps(function)
        def command(context: typer.Context, **given: Any) -> None:
            before = context.obj if isinstance(context.obj, Settings) else Settings()
            settings = before.over(*(given.pop(key) for key, _ in _SHARED))
            work = functools.partial(function, **given)
            raise typer.Exit(exits.guarded(lambda: work(printable(settings)), as_json=settings.json, absent=absent))

        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
        command.__annotations__ = {p.name: p.annotation for p in parameters}
        app.command(name, help=help_text(function), **more)(command)
        return function

    return register


def help_text(function: Verb) -> str:
    """Return a verb's docstring for `--help`: its lines stay as they are, whatever the width of the terminal.

    The line of the closing quotes says how far all are indented; examples keep what they have beyond that.
    """
    first, *rest = (function.__doc__ or "").split("\n")
    margin = len(rest[-1]) if rest else 0
    paragraphs = "\n".join(line[margin:] for line in rest).strip("\n").split("\n\n")
    return "\n\n".join([first, *(f"\b\n{paragraph}" for paragraph in paragraphs if paragraph)])
