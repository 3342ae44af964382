"""The verb of the notifications: `notify test`."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from rotator.cli import exits
from rotator.cli.layout import text
from rotator.cli.log import configuration
from rotator.cli.output import say, write_json, write_lines
from rotator.cli.verbs import Settings, verb
from rotator.core.errors import Absent


def notify_test(settings: Settings, name: Annotated[str, typer.Argument(metavar="NAME", help="A channel.")]) -> int:
    """Send a test message through a channel of `notify`, now.

    It needs no journal and no daemon, and looks at no quiet hours.

      rotator notify test on-call
      rotator notify test on-call -o json

    Exit 1 when the channel did not take it, with the reason.
    """
    from rotator.config.notify import Topic
    from rotator.notify.decide import Message, Notice
    from rotator.notify.deliver import deliver
    from rotator.notify.errors import ChannelDown

    config = configuration(settings)
    stanza = next((one for one in config.notify if one.name == name), None)
    if stanza is None:
        known = ", ".join(one.name for one in config.notify) or "none"
        raise Absent(f"there is no channel {name}", f"the configuration has: {known}")
    now = time.time()
    said = "this is a test; nothing happened"
    notice = Notice(key="test", topic=Topic.ROTATED, credential="test", since=now, code="test", text=said)
    message = Message(id=f"msg_test_{time.time_ns()}", topic=Topic.ROTATED, at=now, notices=(notice,))
    error: ChannelDown | None = None
    try:
        deliver(stanza, "test", message)
    except ChannelDown as found:
        error = found
    if settings.json:
        problem = {"message": error.message, "remedy": error.remedy} if error else None
        write_json({"channel": name, "type": stanza.type, "taken": error is None, "id": message.id, "problem": problem})
    elif error is None:
        write_lines([text(f"{name} took the test message {message.id}; look whether it arrived")])
    if error is not None and not settings.json:
        say(f"error: {name} did not take the test message: {error.message}\ndo: {error.remedy}")
    return exits.DONE if error is None else exits.NO


def register(app: typer.Typer) -> None:
    """Add this verb."""
    notify = typer.Typer(help="Notifications.", no_args_is_help=True, rich_markup_mode=None)
    verb(notify, "test")(notify_test)
    app.add_typer(notify, name="notify", short_help="Notifications: `notify test` tries a channel.")
