"""A value that the provider has just shown, and shows only once: what is done before anything else."""

from __future__ import annotations

from typing import Protocol

from rotator.core.errors import JournalUnsafe
from rotator.core.events import Event
from rotator.core.facts import Draft
from rotator.core.ids import CredentialId
from rotator.core.ports.journal import Journal
from rotator.core.ports.runtime import Runtime
from rotator.core.protocol.view import View
from rotator.core.secret import Secret


class Say(Protocol):
    """Says what happened, bound to whoever works."""

    def __call__(self, event: Event, /, **fields: object) -> None:
        """Say it."""


def capture(journal: Journal, runtime: Runtime, stream: CredentialId, draft: Draft, value: Secret, say: Say) -> View:
    """Spool first, then the journal, for as long as it takes: this process holds the only copy. Either is enough.

    Raises:
        JournalUnsafe: the process is to end, and the spool has the value.

    Crash: between the two leaves an encrypted record that is imported before the next decision.
    """
    spooled = False
    while True:
        try:
            spooled = spooled or _spooled(journal, stream, draft, value, say)
            return journal.capture(stream, draft, value)
        except JournalUnsafe as error:
            say(Event.JOURNAL_UNSAFE, reason=error.message, spooled=spooled)
            if spooled and runtime.stopping():
                raise
            runtime.sleep(1.0)


def _spooled(journal: Journal, stream: CredentialId, draft: Draft, value: Secret, say: Say) -> bool:
    """Whether the spool took it; one that refuses is no reason to keep the value from the journal."""
    try:
        journal.spool(stream, draft, value)
    except JournalUnsafe as error:
        say(Event.JOURNAL_UNSAFE, reason=error.message, spooled=False)
        return False
    return True
