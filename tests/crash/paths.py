"""A journal that a crash left behind is a path through the states that the tables allow, and keeps the laws."""

from collections.abc import Iterable
from pathlib import Path

from rotator.core.facts import Confirmed, Draft, Publishing, PublishIntent
from rotator.core.protocol.fold import fold
from rotator.core.protocol.steps import legal
from rotator.core.protocol.view import View, blank
from rotator.testing.laws import Law
from tests.installation import Installation


def are_paths(place: Installation, folder: Path | None = None) -> None:
    """Every stream of a credential is one, in the journal or in a copy of its folder."""
    journal = place.journal(folder)
    try:
        for stream in journal.streams.all():
            if stream.kind == "credential":
                is_a_path(journal.facts(stream.id))
    finally:
        journal.close()


def is_a_path(facts: Iterable[Draft]) -> View:
    """Each fact may follow the ones before it, and breaks no law; the view that they add up to."""
    view = blank()
    for fact in facts:
        assert not (why := legal(view, fact)), f"{Law.ONE_STEP.name}: {why}"
        for law, holds in _laws(view, fact):
            assert holds, f"{law.name} ({law}): {fact.what}"
        view = fold(view, fact)
    return view


def _laws(view: View, fact: Draft) -> Iterable[tuple[Law, bool]]:
    what, rotation = fact.what, view.rotation
    if isinstance(what, PublishIntent):
        yield Law.CAPTURE_FIRST, what.fingerprint in view.values
        yield Law.DEAD, what.token_id not in view.marked
    if isinstance(what, Publishing) and rotation is not None:
        yield Law.CAPTURE_FIRST, rotation.fingerprint in view.values
    if isinstance(what, Confirmed) and rotation is not None:
        required = rotation.terms.required - view.released.keys() - view.heeded.keys()
        yield Law.CONFIRMED, required <= rotation.read_back
