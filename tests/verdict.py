"""What is right and wrong with an installation: judged by the provider's world, the files and the journal's facts.

That published values are alive and durable holds at every instant, whatever was killed; `is_at_rest` holds once the
program had the time to finish.
"""

import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from rotator.core.facts import Kind
from rotator.core.secret import Secret
from tests.installation import KEY, Installation

OURS = re.compile(r"^(CLOUDFLARE_API_TOKEN|CLOUDFLARE_ACCOUNT_ID)=.*\n", re.MULTILINE)


def published_values_are_alive(place: Installation, published: Iterable[str | None]) -> None:
    """Every published value is one that the provider accepts."""
    for value in published:
        assert value, "nothing is published"
        assert place.accepts(value), "a published value is dead"


def published_values_are_durable(place: Installation, published: Iterable[str | None], scratch: Path) -> None:
    """The journal can open every published value; judged on a copy, so that the judge changes nothing."""
    copy = scratch / "state-as-it-was-left"
    shutil.copytree(place.folder / "state", copy)
    journal = place.journal(copy)
    try:
        streams = [stream.id for stream in journal.streams.all() if stream.kind == "credential"]
        for value in published:
            assert value, "nothing is published"
            fingerprint = journal.fingerprint(Secret(value))
            held = [stream for stream in streams if fingerprint in journal.view(stream).values]
            assert held, "a value was published that the journal does not hold"
            assert journal.reveal(held[0], fingerprint).reveal() == value
        assert not journal.audit.verify().breaks
    finally:
        journal.close()


def is_at_rest(place: Installation, name: str, published: Mapping[str, str | None], *, restored: bool = False) -> None:
    """One active token, every target holds its value, nothing is open, the chain holds, nothing is left lying about."""
    tokens = place.alive(name)
    now = place.world.clock.now()
    assert [token.status(now) for token in tokens] == ["active"], [(t.name, t.status(now)) for t in tokens]
    assert published == dict.fromkeys(published, tokens[0].value), "a target holds something else than the living token"
    assert all(place.accepts(value) for value in published.values())
    journal = place.journal()
    try:
        assert not journal.audit.verify().breaks
        stream = next(s.id for s in journal.streams.all() if s.name == name)
        view = journal.view(stream)
        assert view.rotation is None, f"a rotation is still open: {view.rotation.step}"
        assert not view.retirements, f"retirements are still open: {list(view.retirements.values())}"
        assert view.current == tokens[0].id
        for fact in journal.facts(stream):
            assert restored or fact.kind is not Kind.AHEAD, "the journal was taken for a restored one"
    finally:
        journal.close()
    left = [path.name for path in place.folder.rglob("*") if path.name.endswith(".tmp") or "-process-" in path.name]
    assert not left, left


def other_bytes_are_kept(path: Path, before: str) -> None:
    """Without the lines of the managed keys, the file is what it was, byte for byte."""
    assert OURS.sub("", path.read_text()) == before
    assert path.read_text().count(f"{KEY}=") == 1
