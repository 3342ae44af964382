"""The long run of `make soak`: does a daemon that works without pause grow?

    python -m tests.soak MINUTES [HOURS]

First a real run of MINUTES in which twenty credentials live for seconds; then a virtual one, in which HOURS of provider
time pass at a thousand times their speed. The journal is in a file, or on PostgreSQL with ROTATOR_TEST_JOURNAL set to
`postgres`. It prints what grew with the tokens that were made, with its confidence, and ends with 1 where anything grew
by more than each token may add.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from tests import journals
from tests.installation import Installation, credential, eventually
from tests.servers.postgres import shared

FLEET = 20
WARM = 0.5
"""Part of a run that is not judged: caches and pools fill."""

BLOCKS = 12
STUDENT = 2.228
"""95 % of Student's t with BLOCKS - 2 degrees of freedom."""

SPEED = 1000
"""Seconds of provider time in one second of the virtual run."""


@dataclass(frozen=True)
class Sample:
    """What one look at the daemon showed: tokens ever made, bytes and counts."""

    tokens: float
    memory: float
    files: float
    threads: float
    database: float
    log: float


ALLOWED = {"memory": 4096, "files": 0, "threads": 0, "database": 32768, "log": 4096}
"""What each token may add, in bytes or pieces. Every token and every value stays known, so that an old file that comes
back is recognised, and every fact is kept: that is what memory and database grow by."""


@dataclass(frozen=True)
class Slope:
    """Growth of a measure with each token made, and how far the true one may lie from it with 95 % confidence."""

    each: float
    within: float

    def above(self, allowed: float) -> bool:
        """Whether the whole interval lies above what is allowed."""
        return self.each - self.within > allowed


def slope(along: Sequence[float], values: Sequence[float]) -> Slope:
    """Fit a line through the means of BLOCKS equal parts: neighbours depend on each other, their means hardly."""
    size = len(values) // BLOCKS
    parts = [slice(size * n, size * (n + 1)) for n in range(BLOCKS)]
    x, y = [statistics.fmean(along[part]) for part in parts], [statistics.fmean(values[part]) for part in parts]
    line = statistics.linear_regression(x, y)
    rest = sum((b - line.slope * a - line.intercept) ** 2 for a, b in zip(x, y, strict=True)) / (BLOCKS - 2)
    spread = sum((a - statistics.fmean(x)) ** 2 for a in x)
    return Slope(line.slope, STUDENT * (rest / spread) ** 0.5)


def size_of_journal(place: Installation) -> int:
    """Bytes of the journal on its disk, its write-ahead log not counted."""
    url = str(place.document["state"]["url"])
    if journals.ON_POSTGRES:
        return int(shared.cluster().sql(f"SELECT pg_database_size('{url.rpartition('/')[2]}')")[0][0])
    return (place.folder / "state" / "state.db").stat().st_size


def look(place: Installation, process: int) -> Sample:
    """Look at the daemon once, as the kernel shows it (Linux)."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return Sample(
        tokens=len(place.tokens()),
        memory=int(status["VmRSS"].split()[0]) * 1024,
        files=sum(1 for _ in Path(f"/proc/{process}/fd").iterdir()),
        threads=int(status["Threads"]),
        database=size_of_journal(place),
        log=sum(file.stat().st_size for file in place.folder.glob("err-*")),
    )


def run(title: str, seconds: float, beat: Callable[[Installation], None], lifetime: str, renew: str) -> bool:
    """Let a daemon work for so long and print what grew; returns whether no more grew than may."""
    rotation = {"renew_before": renew, "grace": "1s", "quiet": "1s", "soak": "1s"}
    stanzas = [
        credential(
            f"deploy-{n:02}",
            lifetime=lifetime,
            rotation=rotation,
            targets=[{"type": "env_file", "name": "env", "path": f"app/{n:02}.env"}],
        )
        for n in range(FLEET)
    ]
    samples: list[Sample] = []
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, Installation(Path(folder), *stanzas) as place:
        for n in range(FLEET):
            place.file(f"app/{n:02}.env")
        process = place.daemon()
        eventually(lambda: all(place.value(f"app/{n:02}.env") for n in range(FLEET)))
        began = told = time.monotonic()
        while (now := time.monotonic()) < began + seconds:
            time.sleep(1)
            beat(place)
            samples.append(look(place, process.pid))
            if now > told + 60:
                told = now
                print(f"{(now - began) / 60:.0f} of {seconds / 60:.0f} minutes, {samples[-1]}", file=sys.stderr)
        place.end(process)
    return judge(title, samples)


def judge(title: str, samples: Sequence[Sample]) -> bool:
    """Print the table of a run."""
    warm = samples[int(len(samples) * WARM) :]
    columns = list(zip(*map(astuple, warm), strict=True))
    print(f"\n{title}: {columns[0][-1]:.0f} tokens; judged from token {columns[0][0]:.0f} on")
    print(f"  {'':10}{'first':>14}{'last':>14}{'each token':>14}{'± (95 %)':>12}{'allowed':>10}")
    fine = True
    for name, values in zip(ALLOWED, columns[1:], strict=True):
        found, allowed = slope(columns[0], values), ALLOWED[name]
        much = found.above(allowed)
        fine &= not much
        print(
            f"  {name:10}{values[0]:14,.0f}{values[-1]:14,.0f}{found.each:14,.2f}{found.within:12,.2f}{allowed:10,}"
            f"  {'GROWS' if much else 'fine'}"
        )
    return fine


def main(minutes: str = "20", hours: str = "72") -> int:
    """Run both; returns the exit code."""
    where = "PostgreSQL" if journals.ON_POSTGRES else "a file"
    fine = True
    if float(minutes):
        real = f"{minutes} minutes with the journal in {where}"
        fine &= run(real, float(minutes) * 60, lambda _: None, "30s", "25s")
    if float(hours):
        virtual = f"{hours} virtual hours with the journal in {where}"
        fine &= run(virtual, float(hours) * 3600 / SPEED, lambda place: place.advance(SPEED), "8h", "4h")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
