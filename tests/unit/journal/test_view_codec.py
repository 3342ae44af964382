"""Every view that its types allow becomes plain data and comes back equal."""

from __future__ import annotations

import json
import random
import types
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

import pytest

from rotator.core.protocol.view import View, blank
from rotator.journal import view_codec
from rotator.journal.view_codec import from_plain, to_plain

DEEP = 6


def some(hint: Any, chance: random.Random, depth: int = 0) -> Any:
    """Return any value of a type; below `DEEP` the smallest."""
    origin, arguments = get_origin(hint), get_args(hint)
    many = range(0 if depth > DEEP else chance.randint(0, 2))
    if isinstance(hint, NewType):
        return some(hint.__supertype__, chance, depth)
    if hint == view_codec._JSON:
        return chance.choice([None, "x", 1, 1.5, True, [1, ["y"]], {"k": {"n": [None]}}])
    if hint in (str, int, float, bool):
        return hint(chance.choice([0, 1, 12, 1_800_000_000]))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return chance.choice(list(hint))
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        return hint(**{f.name: some(hints[f.name], chance, depth + 1) for f in fields(hint)})
    if origin in (Union, types.UnionType):
        others = [one for one in arguments if one is not type(None)]
        return None if depth > DEEP or chance.random() < 0.3 else some(chance.choice(others), chance, depth)
    if origin is tuple and arguments[-1] is Ellipsis:
        return tuple(some(arguments[0], chance, depth + 1) for _ in many)
    if origin is tuple:
        return tuple(some(one, chance, depth + 1) for one in arguments)
    if origin is frozenset:
        return frozenset(some(arguments[0], chance, depth + 1) for _ in many)
    assert issubclass(origin, Mapping), hint
    return {some(arguments[0], chance, depth + 1): some(arguments[1], chance, depth + 1) for _ in many}


def told(value: Any) -> Any:
    """Return a value with the types of everything in it, sets in a fixed order."""
    if is_dataclass(value):
        return type(value).__name__, [told(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, Mapping):
        return sorted(((repr(key), told(found)) for key, found in value.items()), key=repr)
    if isinstance(value, frozenset):
        return "frozenset", sorted(map(repr, value))
    return repr(value)


@pytest.mark.parametrize("seed", range(100))
def test_a_view_with_anything_in_it_comes_back_equal_and_of_the_same_types(seed: int):
    view = some(View, random.Random(seed))
    back = from_plain(json.loads(json.dumps(to_plain(view))))
    assert back == view
    assert told(back) == told(view), "an enum that came back as a text would be equal, and no enum"


def test_an_empty_view_comes_back_equal():
    assert from_plain(json.loads(json.dumps(to_plain(blank())))) == blank()


@dataclass
class Strange:
    """What a stored view cannot carry."""

    what: complex


@dataclass
class Ambiguous:
    """One of two classes, and nothing says which."""

    what: View | Strange


@pytest.mark.parametrize("cls", [Strange, Ambiguous])
def test_a_type_that_cannot_be_carried_is_an_error_when_it_is_first_met(cls: type):
    with pytest.raises(TypeError, match="cannot carry"):
        view_codec._codec(cls).out(cls(what=1))
