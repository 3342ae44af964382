"""An editor and the loader agree: what loads fits the schema, and both say the same of a key that is left empty.

The schema knows one stanza at a time, so a file that fits it may still be refused; never the other way round. One thing
is left out: the loader takes an unquoted number for the text that it was written as, and an editor says to quote it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.config.document import parse
from rotator.config.explain import ConfigErrors
from rotator.config.load import load
from rotator.config.schema import json_schema
from rotator.registry import kinds
from tests.unit.config.test_shipped_files import FILES

KINDS: Final = kinds()
SCHEMA: Final = jsonschema.Draft202012Validator(json_schema(KINDS))
GONE: Final = object()

Where = tuple[str | int, ...]

DOCUMENTS: Final[dict[Path, Any]] = {file: parse(file.read_bytes()).plain() for file in FILES}


def places(here: Any, way: Where = ()) -> Iterator[Where]:
    """Every key and entry of a document."""
    for key, inner in here.items() if isinstance(here, dict) else enumerate(here) if isinstance(here, list) else ():
        yield (*way, key)
        yield from places(inner, (*way, key))


PLACES: Final = [(file, place) for file, document in DOCUMENTS.items() for place in places(document)]


def changed(document: Any, place: Where, value: object) -> Any:
    """The document with another value at one place, as it was where an earlier change took the place away."""
    changed = here = copy.deepcopy(document)
    try:
        for key in place[:-1]:
            here = here[key]
        if value is GONE:
            del here[place[-1]]
        else:
            here[place[-1]] = value
    except (KeyError, IndexError, TypeError):
        return document
    return changed


def loads(file: Path, document: Any) -> bool:
    try:
        load(file, KINDS, {"HOME": "/home/app"}, content=json.dumps(document).encode())
    except ConfigErrors:
        return False
    return True


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_key_that_an_editor_lets_be_empty_is_for_the_loader_one_that_is_not_there(file: Path) -> None:
    differ, empty = [], 0
    for place in places(DOCUMENTS[file]):
        if place[:-1] == ("groups",):
            continue  # no key of ours but a name: a group of which nothing else is said is still one
        document = changed(DOCUMENTS[file], place, None)
        fits = SCHEMA.is_valid(document)
        empty += fits
        if loads(file, document) is not (fits and loads(file, changed(DOCUMENTS[file], place, GONE))):
            differ.append(place)

    assert differ == []
    assert empty > 3


@given(
    st.lists(
        st.tuples(st.sampled_from(PLACES), st.sampled_from([None, GONE, "", "x", "7d", "never", True, [], {}, [None]])),
        min_size=1,
        max_size=4,
    )
)
def test_what_loads_fits_the_schema_whatever_was_changed_in_it(
    changes: list[tuple[tuple[Path, Where], object]],
) -> None:
    file = changes[0][0][0]
    document = DOCUMENTS[file]
    for (_, place), value in changes:
        document = changed(document, place, value)

    if loads(file, document):
        assert list(SCHEMA.iter_errors(document)) == []


def test_a_key_that_is_left_empty_wins_over_the_defaults_like_one_that_is_given(tmp_path: Path) -> None:
    document = copy.deepcopy(DOCUMENTS[FILES[0]])
    document["groups"] = {"turns": None}
    document["defaults"]["group"] = "turns"
    document["credentials"][0]["group"] = None

    config = load(tmp_path / "rotator.yaml", KINDS, {"HOME": "/home/app"}, content=json.dumps(document).encode())

    assert config.credentials[0].common.group is None
    assert config.credentials[1].common.group == "turns"
