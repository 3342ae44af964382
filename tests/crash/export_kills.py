"""An export that is killed again and again, by SIGKILL at a named point or at any moment, while facts go on to come.

    python -m tests.crash.export_kills KILLS [SEED]

Each life is a process of its own (a fork of this one, so that it lives after milliseconds): it notes facts, exports to
a file, and dies. Between some of the deaths somebody rotates the file. At the end one more process exports what is
left, and the files are proven with the public key and compared with the journal. Prints one JSON document; 0 when there
is no gap.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from rotator.app.exporting import JournalBook
from rotator.audit import ocsf, plain
from rotator.audit.exporter import Exporter
from rotator.audit.file import FileSink
from rotator.audit.keys import Signer, signed_by
from rotator.audit.lines import read
from rotator.audit.verify import Line, verify
from rotator.core.facts import Draft, Paused, Resumed
from rotator.core.ids import CredentialId
from rotator.journal.key_file import generate_key
from rotator.journal.open import open_journal
from rotator.journal.store import SqlJournal

POINTS = ("before_export_write", "after_export_write", "before_export_move", "after_export_move")
STREAMS = 5


class Site:
    """A journal, an export of it, and who kills whom."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder, self.chance = folder, chance
        self.file = folder / "audit.jsonl"
        self.form = chance.choice([plain, ocsf])
        self.rotated: list[Path] = []
        generate_key(folder / "rotator.key")
        journal = self.open()
        journal.streams.register([(f"app-{number}", "prod", None) for number in range(STREAMS)])
        journal.close()

    def open(self) -> SqlJournal:
        return open_journal(
            f"sqlite:///{self.folder / 'state.db'}", self.folder / "rotator.key", crash=lambda point: None
        )

    def exporter(self, journal: SqlJournal, crash=lambda point: None) -> Exporter:
        return Exporter(
            "siem",
            JournalBook(journal, "audit/siem"),
            FileSink(self.file),
            self.form,  # type: ignore[arg-type]  # a module has the two functions
            Signer(journal.audit.export_seed()),
            monotonic=time.monotonic,
            wall=time.time,
            crash=crash,
            trouble=_complain,
        )

    def live(self, point: str, passages: int) -> None:
        """Note facts and export them, until somebody kills this process; it does so itself at the point."""
        left = passages

        def crash(passed: str) -> None:
            nonlocal left
            left -= passed == point
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        journal = self.open()
        streams = [one.id for one in journal.streams.all() if one.kind == "credential"]
        exporter = self.exporter(journal, crash)
        chance = random.Random(passages)
        while True:
            for _ in range(chance.randrange(1, 40)):
                _note(journal, chance.choice(streams), chance)
            exporter.step()

    def kill_one(self, number: int) -> str:
        """Let one process live and die; return by what it died."""
        timed = self.chance.random() < 0.5
        point = "" if timed else self.chance.choice(POINTS)
        passages = self.chance.randrange(1, 4)
        child = os.fork()
        if not child:
            try:
                self.live(point, passages)
            finally:
                os._exit(1)
        if timed:
            time.sleep(self.chance.uniform(0.005, 0.12))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), f"life {number} ended by itself: {status}"
        assert os.WTERMSIG(status) == signal.SIGKILL
        if point in ("after_export_write", "before_export_move") and self.chance.random() < 0.3:
            self.cut()
        if self.chance.random() < 0.03:
            self.rotate()
        return point or "any moment"

    def cut(self) -> None:
        """Take a part of the last line away, whose writing nobody had noted: so the kill came in the midst of it."""
        size = self.file.stat().st_size
        os.truncate(self.file, size - self.chance.randrange(1, min(size, 300)))

    def rotate(self) -> None:
        """Do what logrotate does, with the daemon dead."""
        if self.file.exists():
            self.rotated.append(self.file.rename(self.folder / f"audit.jsonl.{len(self.rotated)}"))

    def proven(self) -> dict[str, object]:
        """Export what is left, and say what the files prove."""
        journal = self.open()
        exporter = self.exporter(journal)
        while exporter.step() == 0:
            continue
        exporter.finish()
        files = [*self.rotated, self.file]
        lines = [
            Line(file.name, number, text.removesuffix("\n"), text.endswith("\n"))
            for file in files
            for number, text in enumerate(file.read_text().splitlines(keepends=True), 1)
        ]
        found = verify(lines, signed_by, Signer(journal.audit.export_seed()).public)
        told = {str(one.chain["fact_id"]) for line in lines if (one := read(line.text)) and "fact_id" in one.chain}
        written = {fact.fact_id for fact in journal.facts()}
        journal.close()
        return {
            "facts": len(written),
            "gaps": len(written - told),
            "invented": len(told - written),
            "duplicates": found.duplicates,
            "half_lines": found.half_lines,
            "unsigned": found.unsigned,
            "checkpoints": found.checkpoints,
            "files": len(files),
            "problems": [f"{one.file}:{one.line}: {one.code}" for one in found.problems[:10]],
        }


def _note(journal: SqlJournal, stream: CredentialId, chance: random.Random) -> None:
    what = Resumed() if chance.random() < 0.5 else Paused(reason="x" * chance.randrange(300), until=time.time() + 60)
    journal.note(stream, Draft(what=what, at=time.time(), actor="anna"))


def _complain(error: BaseException | None) -> None:
    if error is not None:
        print(f"the export has trouble: {error}", file=sys.stderr)


def main(kills: int, seed: int) -> int:
    chance, died = random.Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="export-kills-") as folder:
        site = Site(Path(folder), chance)
        for number in range(kills):
            died[site.kill_one(number)] += 1
        found = site.proven()
    print(json.dumps({"kills": kills, "seed": seed, "died": dict(sorted(died.items())), **found}))
    good = not (found["gaps"] or found["invented"] or found["unsigned"] or found["problems"])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(2**32)))
