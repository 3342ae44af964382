"""What is durable while a management token is on its way into its place: intents, and values under the state's key.

One file for each process of `rotator bootstrap`, in the folder of the state, preallocated before anything is sent. A
record that is left over belongs to a process that died or lost an answer; the next bootstrap of the same connection
goes on from there, and `check` says that there is one.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from rotator.core.errors import JournalUnsafe
from rotator.core.ids import Fingerprint, RotationId, TokenId
from rotator.core.secret import Secret
from rotator.host.files import flush_folder, make_folder
from rotator.host.locks import FileLock
from rotator.journal.sealing import KeyRing, Sealed, pack, unpack
from rotator.journal.spool import Spool, records

FOLDER: Final = "bootstrap"
SUFFIX: Final = ".spool"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One token on its way.

    Attributes:
        id: random.
        role: `management` or `standby`.
        name: of the token; nobody else uses it. Empty for one that a person made.
        owner: `user` or `account`.
        account_id: of an account's token, else None.
        at: unix seconds of provider time when it was begun.
    """

    id: str = field(default_factory=lambda: secrets.token_hex(8))
    role: str
    name: str = ""
    owner: str = ""
    account_id: str | None = None
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """A value that is durable: of an attempt, with the token's id where the provider told it."""

    attempt: Attempt
    token_id: str
    value: Secret


class Ledger:
    """The records of one connection. A context manager: holds the right to bootstrap that connection."""

    def __init__(self, state: Path, connection: str, keys: KeyRing, crash: Callable[[str], None]) -> None:
        """`state` is the folder of the state; nothing is opened yet."""
        self._folder = state / FOLDER
        self._connection = connection
        self._keys = keys
        self._crash = crash
        self._spool: Spool | None = None
        self._handles: dict[str, list[int]] = {}
        self._old: dict[Path, set[str]] = {}
        self._lock = FileLock(self._folder / f"{connection}.lock")

    def __enter__(self) -> Ledger:
        """Take the right; raises `JournalUnsafe` where another bootstrap has it or the folder cannot be used."""
        try:
            make_folder(self._folder)
            held = self._lock.acquire(0)
        except OSError as error:
            raise _unusable(self._folder, error) from None
        if not held:
            raise JournalUnsafe(
                f"another `rotator bootstrap {self._connection}` is under way", "let it end, or stop it; then try again"
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._spool is not None and self._spool.close():
            self._spool.path.unlink(missing_ok=True)
        self._lock.release()

    def left_over(self) -> tuple[list[Captured], list[Attempt]]:
        """Return what earlier processes left: values that are on their way, and attempts without an answer.

        Raises:
            JournalUnsafe: a value cannot be opened with the present key.
        """
        captured: list[Captured] = []
        open_: list[Attempt] = []
        for path in _files(self._folder, self._connection):
            found = [json.loads(record) for record in records(path)]
            mine = {row["attempt"]["id"]: row for row in found}  # the capture comes after its intent
            if not mine:
                path.unlink(missing_ok=True)
                continue
            self._old[path] = set(mine)
            for row in mine.values():
                attempt = Attempt(**row["attempt"])
                if row["sealed"] is None:
                    open_.append(attempt)
                else:
                    value = Secret(self._keys.open(unpack(row["sealed"])).decode())
                    captured.append(Captured(attempt=attempt, token_id=row["token_id"], value=value))
        return captured, open_

    def intend(self, attempt: Attempt) -> None:
        """Make room for the value of an attempt, and the attempt itself durable; before anything is sent.

        Raises:
            JournalUnsafe: there is no room, or the disk says no; nothing may be sent.

        Crash: leaves nothing, or an attempt that the next bootstrap looks for.
        """
        self._write(attempt, None, "")

    def capture(self, attempt: Attempt, token_id: str, value: Secret) -> Captured:
        """Make a value durable: the first thing that is done with it.

        Raises:
            JournalUnsafe: the disk says no.

        Crash: leaves the attempt with or without its value.
        """
        blank = Sealed(
            sealed_id=secrets.token_hex(16),
            instance=FOLDER,
            credential=self._connection,
            rid=RotationId(attempt.id),
            attempt=1,
            fingerprint=Fingerprint(""),
            token_id=TokenId(token_id),
            key_id="",
            wrapped_key=b"",
            nonce=b"",
            ciphertext=b"",
        )
        self._write(attempt, pack(self._keys.seal(blank, value.reveal().encode())), token_id)
        return Captured(attempt=attempt, token_id=token_id, value=value)

    def close(self, attempt: Attempt) -> None:
        """Forget an attempt: its value is in its place, or nothing came of it. Harmless when it is not known."""
        for handle in self._handles.pop(attempt.id, ()):
            if self._spool is not None:
                self._spool.drop(handle)
        for path, ids in list(self._old.items()):
            ids.discard(attempt.id)
            if not ids:
                del self._old[path]
                path.unlink(missing_ok=True)
                flush_folder(self._folder)

    def _write(self, attempt: Attempt, sealed: Any, token_id: str) -> None:
        row = {"attempt": asdict(attempt), "token_id": token_id, "sealed": sealed}
        try:
            if self._spool is None:
                name = f"{self._connection}~{secrets.token_hex(8)}{SUFFIX}"
                self._spool = Spool(self._folder / name, self._crash)
                flush_folder(self._folder)
            if sealed is None:
                self._spool.reserve()
            handle = self._spool.write(json.dumps(row).encode())
        except OSError as error:
            raise _unusable(self._folder, error, sent=sealed is not None) from None
        self._handles.setdefault(attempt.id, []).append(handle)


def unfinished(state: Path, connection: str) -> bool:
    """Whether a bootstrap of a connection left something to do. Reads only; needs no key."""
    try:
        return any(records(path) for path in _files(state / FOLDER, connection))
    except OSError:
        return False


def _files(folder: Path, connection: str) -> Iterator[Path]:
    """The spools of a connection; `~` stands in no name of one."""
    yield from sorted(folder.glob(f"{connection}~*{SUFFIX}"))


def _unusable(folder: Path, error: OSError, *, sent: bool = False) -> JournalUnsafe:
    return JournalUnsafe(
        f"making the way of a new token durable in {folder}: {error.strerror}" + ("" if sent else "; nothing was sent"),
        "make room there, or give `state.url` a folder that this user may write to",
    )
