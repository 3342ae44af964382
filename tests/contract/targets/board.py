"""A target that lives outside of the package, whole: its options, its adapter, its entry in the registry.

It publishes to a board in memory. A real plugin differs in what is behind `Board`.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rotator.config.fields import Stanza, Text
from rotator.config.kinds import TargetKind
from rotator.core.errors import Conflict, Refused, Unavailable
from rotator.core.ports.target import Evidence, Publication, Reading, Remark
from rotator.core.secret import Secret
from rotator.registry import TargetEntry


@dataclass
class Board:
    """The place: some keys, a version, and whether it may be written and reached."""

    content: dict[str, str] = field(default_factory=dict)
    version: int = 0
    writable: bool = True
    reachable: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)

    def replace(self, content: Mapping[str, str]) -> None:
        self.content, self.version = dict(content), self.version + 1


BOARDS: dict[str, Board] = {}


class BoardOptions(Stanza):
    """One board."""

    board: Text


class BoardTarget:
    """Fulfils the target port."""

    def __init__(
        self, options: BoardOptions, keys: Mapping[str, str], crash: Callable[[str], None] = lambda point: None
    ) -> None:
        self._board = BOARDS[options.board]
        self._keys = dict(keys)
        self._crash = crash

    @property
    def evidence(self) -> Evidence:
        return Evidence.VALUE

    @property
    def keys(self) -> Mapping[str, str]:
        return self._keys

    def check(self) -> Sequence[Remark]:
        self.read()
        if not self._board.writable:
            raise Refused("checking the board: it may not be written", "ask its owner", code="permission")
        return ()

    def read(self) -> Reading:
        if not self._board.reachable:
            raise Unavailable("reading the board: it is out of reach", "look for it")
        version = str(self._board.version) if self._board.version else ""
        return Reading(version=version, values=self._managed())

    def write(self, publication: Publication) -> None:
        self.read()
        publication.still_mine()
        with self._board.lock:
            if self._managed() == dict(publication.values):
                return
            self.check()
            if self._managed() != dict(publication.expected.values):
                raise Conflict("writing the board: somebody else changed it")
            self._crash("before_board")
            new = {key: value.reveal() for key, value in publication.values.items()}
            self._board.replace({**self._board.content, **new})
            self._crash("after_board")

    def close(self) -> None:
        pass

    def _managed(self) -> dict[str, Secret]:
        found = {key: self._board.content.get(key, "") for key in self._keys}
        return {key: Secret(value) for key, value in found.items() if value}


def _open(connection: Any, options: Any, keys: Mapping[str, str], locks: Path, warn: Any) -> BoardTarget:
    return BoardTarget(options, keys)


ENTRY = TargetEntry(kind=TargetKind(options=BoardOptions, place=lambda options: str(options.board)), open=_open)
