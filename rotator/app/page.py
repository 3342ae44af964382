"""What the page asks of a running daemon: the documents of `status`, `history` and `discover`, from its own journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from rotator.app.app import App
from rotator.app.documents import fact_document, status_document
from rotator.app.ordered import act_on
from rotator.core.durations import DAY
from rotator.core.errors import ConfigError, IllegalFact, RotatorError
from rotator.core.facts import Fact, Kind
from rotator.core.secret import Secret
from rotator.web.page.board import Conflict, Document, Order, Told, Unknown, Wrong

PEOPLE: Final = frozenset(
    {Kind.REQUEST, Kind.REVOKED, Kind.PAUSED, Kind.RESUMED, Kind.RESOLVED, Kind.ACK, Kind.FORGOTTEN}
)
"""Kinds of facts that only a person makes."""

MOST: Final = 20_000
"""Facts that are looked at for one page at most; who searches on goes on from there."""

BLOCK: Final = 500
"""Facts that are read at a time, from the newest back."""


class DaemonBoard:
    """Fulfils `rotator.web.page.board.Board` over an opened instance. Every method may be called from any thread."""

    def __init__(self, app: App, problem: Callable[[], str]) -> None:
        """Take an instance that stays open for as long as the page is served.

        `problem` says what is wrong with the configuration file, nothing while it is what the daemon works with.
        """
        self._app, self._problem = app, problem

    def now(self) -> float:
        """This machine's time, unix seconds."""
        return self._app.queries.utc()

    def status(self) -> Document:
        """The document of `status -o json`."""
        return status_document(self._app.queries) | {"configuration_problem": self._problem() or None}

    def facts(self, name: str | None, before: int | None, limit: int, people: bool = False) -> Told:
        """Facts, newest first; `before` and `older` count facts of the credential, or of the journal.

        Raises:
            Unknown: no such credential.
        """
        if name is not None:
            try:
                self._app.queries.stream(name)
            except ConfigError:
                raise Unknown from None
        looked_at = 0
        kept: list[tuple[int, dict[str, Any]]] = []
        for place, of, fact in self._back(name, before):
            looked_at += 1
            if looked_at > MOST:
                return Told([one for _, one in kept], place + 1)
            if people and fact.kind not in PEOPLE:
                continue
            if len(kept) == limit:
                return Told([one for _, one in kept], kept[-1][0])
            kept.append((place, fact_document(of, fact)))
        return Told([one for _, one in kept], None)

    def _back(self, name: str | None, before: int | None) -> Iterator[tuple[int, str, Fact]]:
        """Every fact from the newest back, with its number from 0."""
        if name is not None:
            all_of_it = list(self._app.queries.history(name))[:before]
            yield from ((number, of, fact) for number, (of, fact) in reversed(list(enumerate(all_of_it))))
            return
        journal = self._app.journal
        if journal is None:
            return
        names = {stream.id: stream.name for stream in journal.streams.all()}
        end = journal.counts()["facts"] if before is None else before
        while end > 0:
            begin = max(end - BLOCK, 0)
            block = list(journal.facts(None, begin, end - begin))
            for number in range(len(block) - 1, -1, -1):
                yield begin + number, names.get(block[number].stream, block[number].stream), block[number]
            end = begin

    def discover(self) -> Document:
        """The document of `discover -o json` with its usual terms.

        Raises:
            RotatorError: a provider gave no answer, or the configuration file is wrong just now.
        """
        from rotator.app.discover import discover

        return discover(self._app.config.path, None, unused=90 * DAY, expires=30 * DAY)

    def key(self) -> bytes:
        """Return what seals forms: the same in every daemon on this journal, and never the digest of a value."""
        return self._app.writable.fingerprint(Secret("the forms of the page of rotator")).encode()

    def act(self, order: Order) -> str:
        """Journal an act under the user's name.

        Raises:
            Unknown, Wrong, Conflict: it was not journaled.
        """
        try:
            return act_on(self._app, order)
        except ConfigError as error:
            raise Wrong(f"{error.message}; {error.remedy}") from None
        except IllegalFact:
            raise Conflict("the credential has changed meanwhile; look again") from None
        except RotatorError as error:
            raise Conflict(f"{error.message}; {error.remedy}") from None
