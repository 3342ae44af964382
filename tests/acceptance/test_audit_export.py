"""The audit export of a running daemon: a sink that comes with a reload, a file that is rotated, an end by SIGTERM."""

import json

import pytest

from tests.acceptance.stage import until
from tests.canaries import leaks
from tests.installation import Installation, credential

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def sink(name: str, **more):
    return {"name": name, "type": "file", "path": f"{name}.jsonl"} | more


@pytest.fixture
def place(tmp_path, opened) -> Installation:
    stanza = credential(lifetime="90d", rotation={"grace": "0s", "quiet": "1s", "soak": "0s"})
    return opened(tmp_path, stanza, audit=[sink("first")])


def kinds(place: Installation, *files: str) -> list[str]:
    """What the facts in these files are called; a line that is being written just now is not there yet."""
    texts = [(place.folder / file).read_text() for file in files if (place.folder / file).exists()]
    lines = [line for text in texts for line in text.split("\n")[:-1]]
    return [told.get("kind", told.get("unmapped", {}).get("kind")) for told in map(json.loads, lines)]


def proven(place: Installation, *files: str):
    done = place.run("audit", "verify", *(word for file in files for word in ("--export", file)), "-o", "json")
    assert done.code == 0, done.out + done.err
    return json.loads(done.out)


def test_a_daemon_exports_as_facts_come_takes_a_new_sink_and_signs_all_at_its_end(place):
    daemon = place.daemon()
    until(lambda: "confirmed" in kinds(place, "first.jsonl"), "the first rotation in the export")
    (place.folder / "first.jsonl").rename(place.folder / "first.jsonl.1")

    place.document["audit"].append(sink("second", format="ocsf"))
    place.write()
    until(lambda: "confirmed" in kinds(place, "second.jsonl"), "the same in a sink that came with a reload")

    assert place.run("pause", "deploy", "--reason", "lunch").code == 0
    until(lambda: "paused" in kinds(place, "first.jsonl"), "a fact in the file after the rotation of it")
    assert place.run("resume", "deploy").code == 0
    assert place.end(daemon) == 0

    facts = json.loads(place.run("audit", "verify", "-o", "json").out)["facts"]
    for files in (("first.jsonl.1", "first.jsonl"), ("second.jsonl",)):
        found = proven(place, *files)
        assert (found["facts"], found["unsigned"], found["duplicates"], found["whole"]) == (facts, 0, 0, True)
    assert leaks([str(place.value())], [*place.folder.glob("*.jsonl*")]) == []
