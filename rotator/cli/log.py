"""The log of a verb that writes or drives: level and format from the configuration, `--log-format` wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotator.cli.verbs import Settings

if TYPE_CHECKING:
    from rotator.config.models import Config
    from rotator.observability.logs import Log


def open_log(settings: Settings, config: Config, *, hooks: bool = False, quiet: bool = False) -> Log:
    """Return the log on standard error, which knows the management tokens and scrubs them wherever they turn up.

    Args:
        settings: the options.
        config: the configuration that is effective.
        hooks: whether uncaught exceptions are logged as well; for the daemon.
        quiet: whether only what is wrong is logged, for verbs that print a result; `level: debug` or `--log-format` on
            the command line ask for all of it.
    """
    from rotator.core.errors import RotatorError
    from rotator.observability.logs import configure

    wanted = settings.log_format.value if settings.log_format else config.log.format
    hushed = quiet and settings.log_format is None and config.log.level == "info"
    log = configure("warning" if hushed else config.log.level, wanted, hooks=hooks)
    for stanza in config.connections.values():
        for role in ("token", "standby_token"):
            reference = getattr(stanza.options, role, None)
            if reference is not None:
                try:
                    log.redactor.add(reference.read(), pin=True)
                except RotatorError:
                    continue  # whoever needs it says so
    return log


def running_configuration(settings: Settings, *, quiet: bool = False) -> Config:
    """Load the configuration that the options name; while it is wrong or gone, the one of the running daemon.

    For verbs that look at the daemon or ask something of it; unless `quiet` it is said when the file does not count.

    Raises:
        ConfigError: there is none, or it is wrong and no daemon runs with an earlier one.
    """
    from rotator.app.effective import effective_for
    from rotator.cli.output import say

    found = effective_for(settings.config)
    if found.problem and not quiet:
        say(f"the configuration file cannot be used, so this works with what the daemon took last: {found.problem}")
    return found.config


def configuration(settings: Settings) -> Config:
    """Load the configuration that the options name.

    Raises:
        ConfigError: there is none, or it is wrong.
    """
    from rotator.config.load import load
    from rotator.registry import kinds

    return load(settings.path, kinds())
