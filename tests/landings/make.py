"""Make the installation that a landing leaves behind: `python -m tests.landings.make NUMBER` writes `NUMBER.tar.gz`.

Run it once, with the program as it stands at the end of a landing; what it wrote is never made again, because only
the program of that day writes the journal of that day. Every kind of fact that can be had by plain means is in it.
"""

import gzip
import io
import json
import shutil
import sys
import tarfile
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

from rotator.sandbox import tokens
from rotator.sandbox.world import Owner, Token
from tests.installation import ACCOUNT, KEY, ROTATION, Done, Installation, credential

HERE: Final = Path(__file__).resolve().parent
KEPT: Final = ("rotator.yaml", "sandbox.json", "tokens", "state", "app")
"""What an installation consists of; the rest are logs of processes."""


def target(name: str, **more: Any) -> dict[str, Any]:
    """A file of its own for each target."""
    return {"type": "env_file", "name": name, "path": f"app/{name}.env", **more}


def stanzas() -> list[dict[str, Any]]:
    """One credential for each way of living."""
    roll = {**ROTATION, "strategy": "roll", "outage_budget": "40s"}
    return [
        credential("plain", targets=[target("plain")]),
        credential("rolled", targets=[target("rolled")], rotation=roll),
        credential("twice", targets=[target("one"), target("two", required=False)]),
        credential("slow", targets=[target("slow")], rotation={**ROTATION, "grace": "2d", "quiet": "2d"}),
        credential("endless", targets=[target("endless")], lifetime="never", rotation={"every": "30d"}),
        credential("edited", targets=[target("edited")]),
        credential("taken", targets=[target("taken")]),
        credential("heeded", targets=[target("heeded")]),
        credential("stopped", targets=[target("stopped")]),
        credential("leaving", targets=[target("leaving")]),
        credential("undone", targets=[target("undone")]),
        credential("closed", targets=[target("closed")]),
        credential("behind", targets=[target("behind")]),
        credential("lost", targets=[target("lost")]),
        credential("midway", targets=[target("midway")]),
        credential("asked", targets=[target("asked")]),
    ]


def by_hand(place: Installation, name: str) -> Token:
    """A living token that nobody of us made."""
    with place.world.lock:
        mine = place.world.tokens[place.world.roles["account-standby"]]
        made = tokens.make(place.world, Owner("account", ACCOUNT), name, mine.policies, place.world.clock.now())
        place.world.add(made)
    return made


def write(place: Installation, name: str, value: str) -> None:
    """Change a managed key as a person with an editor would."""
    file = place.folder / "app" / f"{name}.env"
    file.write_text(file.read_text().replace(place.value(f"app/{name}.env") or "?", value))


def once(place: Installation) -> Done:
    """Let the program do what is due; a person may be needed for some of it."""
    done = place.run("once", "--wait", "8s")
    assert done.code in (0, 3), f"{done.code}: {done.out}\n{done.err[:2000]}"
    return done


def well(done: Done) -> Done:
    """A verb that ended well."""
    assert done.code == 0, f"{done.code}: {done.out}\n{done.err[-2000:]}"
    return done


def live(place: Installation) -> None:
    """A few days of an installation, fact by fact."""
    rotations(place)
    edits(place)
    operators(place)
    changes(place)


def rotations(place: Installation) -> None:
    """The first start, rotations of every kind, an answer that is lost, and a mint that is refused."""
    for stanza in stanzas():
        for found in stanza["targets"]:
            place.file(found["path"])
    adopted = by_hand(place, "made in the dashboard")
    place.file("app/adopted.env", f"{KEY}={adopted.value}\n")
    place.document["credentials"].append(credential("adopted", adopt={"id": adopted.id}, targets=[target("adopted")]))
    place.file("app/taken.env", f"{KEY}={by_hand(place, 'somebody else').value}\n")
    place.write()
    once(place)
    well(place.run("rotate", "plain", "twice", "slow", "adopted", "--reason", "a first look", "--wait", "60s"))
    well(place.run("rotate", "rolled", "--wait", "60s", "--until", "done"))
    place.run("rotate", "plain", "--wait", "60s", "--until", "done")
    place.arm(operation="create", kind="lose_answer", times=1)
    place.run("rotate", "plain", "--wait", "30s")
    place.heal()
    place.arm(operation="create", kind="status", status=400, code=1001, times=1)
    place.run("rotate", "plain", "--wait", "30s")
    place.heal()


def edits(place: Installation) -> None:
    """Drift is healed, an edit waits for a person, and persons decide."""
    file = place.folder / "app" / "one.env"
    file.write_text(file.read_text().replace(place.value("app/one.env") or "?", ""))
    once(place)
    value = place.value("app/edited.env") or "?"
    for name in ("edited", "heeded"):
        write(place, name, by_hand(place, f"pasted into {name}").value)
    once(place)
    well(place.run("resolve", "heeded", "--accept", "--reason", "a hotfix"))
    well(place.run("resolve", "taken", "--retry"))
    once(place)
    write(place, "edited", value)
    once(place)


def operators(place: Installation) -> None:
    """A rotation that an operator closes, pauses."""
    # a value that vanishes before it was read back, and a rotation that an operator closes
    well(place.run("rotate", "undone"))
    place.run("once", "--wait", "8s", crash="after_written_commit:1")
    write(place, "undone", "")
    once(place)
    well(place.run("rotate", "closed"))
    place.run("once", "--wait", "8s", crash="before_target_write:1")
    place.run("resolve", "closed", "--abandon")
    once(place)
    # pauses, one of which ends
    well(place.run("pause", "plain", "--for", "30d", "--reason", "a freeze"))
    well(place.run("resume", "plain"))
    well(place.run("pause", "stopped", "--reason", "until we know more"))


def changes(place: Installation) -> None:
    """What leaves the configuration, what comes and goes; a state that is lost, an older one put back; open ends."""
    gone = next(c for c in place.document["credentials"] if c["name"] == "leaving")
    place.document["credentials"].remove(gone)
    twice = next(c for c in place.document["credentials"] if c["name"] == "twice")
    twice["targets"] = [target("one")]
    place.write()
    once(place)
    twice["targets"] = [target("one"), target("two", required=False)]
    place.write()
    once(place)
    # the state is lost, and an older one put back
    shutil.copytree(place.folder / "state", place.folder / "backup")
    before = (place.folder / "app" / "lost.env").read_bytes()
    well(place.run("rotate", "behind", "lost", "--wait", "60s"))
    (place.folder / "app" / "lost.env").write_bytes(before)
    shutil.rmtree(place.folder / "state")
    (place.folder / "backup").rename(place.folder / "state")
    place.run("once", "--wait", "8s")
    # one rotation stays open in the middle, and one request stays unserved
    well(place.run("rotate", "midway"))
    place.run("once", "--wait", "8s", crash="before_target_write:1")
    well(place.run("rotate", "asked", "--reason", "left on a bus"))


def said(place: Installation) -> dict[str, Any]:
    """What the program of that day says of it."""
    status = json.loads(place.run("status", "-o", "json").out)
    history = json.loads(place.run("history", "-o", "json").out)["facts"]
    return {"status": status, "history": history}


def pack(folder: Path, said_then: dict[str, Any], archive: Path) -> None:
    """Write what an installation consists of, owned by nobody."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = member.mtime = 0
        member.uname = member.gname = ""
        return member

    with (
        archive.open("wb") as file,
        gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="") as squeezed,
        tarfile.open(fileobj=squeezed, mode="w") as tar,
    ):
        for name in KEPT:
            tar.add(folder / name, name, filter=plain)
        text = json.dumps(said_then, indent=1).encode()
        member = tarfile.TarInfo("said.json")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))


def main(number: str) -> None:
    """Live, ask, pack."""
    folder = Path(mkdtemp(prefix="landing-"))
    with Installation(folder, *stanzas()) as place:
        live(place)
        answers = said(place)
    pack(folder, answers, HERE / f"{number}.tar.gz")
    kinds = sorted({fact["kind"] for fact in answers["history"]})
    print(f"{len(answers['history'])} facts of {len(kinds)} kinds: {', '.join(kinds)}")


if __name__ == "__main__":
    main(sys.argv[1])
