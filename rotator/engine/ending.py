"""The acts that end a token: disable and delete. Only a token that an irrevocable fact marks gets here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rotator.core.errors import (
    OutcomeUnknown,
)
from rotator.core.events import Event
from rotator.core.facts import (
    Deleted,
    Disabled,
    OfToken,
)
from rotator.core.protocol.rules import Action
from rotator.engine.failing import CERTAIN, why_of
from rotator.engine.work import Work


def disable(work: Work, action: Action) -> None:
    """Disable a token that an irrevocable fact marks. Sent late or twice it is harmless."""

    def send() -> None:
        work.source_of(action.token_id).disable(action.token_id)

    _destroy(work, "disable", send, Disabled(token_id=action.token_id), Event.TOKEN_DISABLED)


def delete(work: Work, action: Action) -> None:
    """Delete a token that an irrevocable fact marks. Sent late or twice it is harmless."""

    def send() -> None:
        work.source_of(action.token_id).delete(action.token_id)

    deleted = Deleted(token_id=action.token_id, undisabled=not work.source.can.disable)
    _destroy(work, "delete", send, deleted, Event.TOKEN_DELETED)


def _destroy(work: Work, act: str, send: Callable[[], None], done: OfToken, event: Event) -> None:
    token = done.token_id
    work.journal.check(work.lease)
    work.runtime.crash(f"before_{act}_send")
    try:
        send()
    except (*CERTAIN, OutcomeUnknown) as error:
        work.record(replace(why_of(act, error), token_id=token))
        work.say(Event.RETIREMENT_FAILED, act=act, token=token, reason=error.message, remedy=error.remedy or None)
        return
    work.runtime.crash(f"after_{act}_send")
    work.record(done)
    work.say(event, token=token)
    if token in work.view.revoked:  # it did not wait for every target
        for name in sorted(t for t in work.credential.all if work.view.last.get(t) == token):
            work.say(Event.VALUE_DEAD, target=name, token=token, reason="its token was revoked")
