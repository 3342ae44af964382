"""`rotator exec`: start a command with the keys of credentials in its environment, in this process's own place."""

from __future__ import annotations

import os
from typing import Annotated, Any, ClassVar, Final

import typer
from typer.core import TyperCommand

from rotator.cli import exits
from rotator.cli.log import running_configuration
from rotator.cli.names import complete
from rotator.cli.verbs import Settings, verb
from rotator.core.errors import ConfigError, RotatorError

FAILED: Final = 125
"""Exit code where `rotator` itself failed, as env(1) has it; 126 and 127 where the command is no program."""


class WithCommand(TyperCommand):
    """Leaves what stands behind `--` alone: it belongs to the command."""

    behind: ClassVar[list[str]] = []
    """What stands there on the command line of this process."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what stands before `--`."""
        at = args.index("--") if "--" in args else len(args)
        WithCommand.behind = args[at + 1 :]
        return super().parse_args(ctx, args[:at])


def execute(
    settings: Settings,
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Credentials.", autocompletion=complete)],
) -> int:
    """Run a command with credentials in its environment.

    The keys are those of each credential's first target, else
    CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID; the values are the current
    ones of the journal. The command takes this process's place, so signals and
    its exit code are its own. It keeps the values that it was started with.
    125 where rotator itself failed, 2 where two credentials claim one key.

      rotator exec workers-deploy -- npx wrangler deploy
      rotator exec r2-backup -- aws s3 ls --endpoint-url https://…
    """
    command = WithCommand.behind
    if not command:
        raise ConfigError("no command is given", "write it behind `--`: rotator exec NAME -- COMMAND")
    from rotator.app import App
    from rotator.app.environment import KeyClashError, variables

    try:
        config = running_configuration(settings)
        with App.open(config.path, "reader", config=config) as app:
            found = {key: value.reveal() for key, value in variables(app, names).items()}
    except KeyClashError:
        raise
    except RotatorError as error:
        exits.report(error, as_json=settings.json)
        return FAILED
    try:
        os.execvpe(command[0], command, {**os.environ, **found})  # noqa: S606  # the operator's own command
    except FileNotFoundError:
        exits.report(RotatorError(f"{command[0]}: there is no such program", "check the name and PATH"))
        return 127
    except OSError as error:
        exits.report(RotatorError(f"{command[0]}: it cannot be started: {error.strerror}", "check its rights"))
        return 126


def register(app: typer.Typer) -> None:
    """Add the verb."""
    verb(app, "exec", cls=WithCommand)(execute)
