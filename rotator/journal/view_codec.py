"""A view as plain JSON data and back, by the types that its dataclasses declare: no list of fields can go stale.

It judges nothing and knows no field. A type that it cannot carry is an error when the codec is made, by the first test
that makes one, and not when a view is read.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Final, NamedTuple, NewType, Union, cast, get_args, get_origin, get_type_hints

from rotator.core.plain import Json
from rotator.core.protocol.view import View

Way = Callable[[Any], Any]
_PLAIN: Final = frozenset({str, int, float, bool, type(None)})


class Codec(NamedTuple):
    """How values of one type become plain data, and are made from it; `same` where there is nothing to do."""

    out: Way
    back: Way
    same: bool = False


def _same(value: Any) -> Any:
    return value


_IDENTITY: Final = Codec(_same, _same, same=True)
_made: dict[Any, Codec] = {}


def to_plain(view: View) -> Any:
    """Return the view as lists, objects, texts and numbers."""
    return _codec(View).out(view)


def from_plain(data: Any) -> View:
    """Return the view that `to_plain` was given.

    Raises:
        ValueError: the data are something else.
    """
    try:
        return cast("View", _codec(View).back(data))
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        raise ValueError("this is no stored view") from error


def _codec(hint: Any) -> Codec:
    if isinstance(hint, NewType):
        return _codec(hint.__supertype__)
    if hint in _PLAIN or hint == _JSON:
        return _IDENTITY
    found = _made.get(hint)
    if found is None:
        found = _made[hint] = _make(hint)
    return found


def _make(hint: Any) -> Codec:
    origin, arguments = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Codec(lambda value: value.value, hint)
    if is_dataclass(hint):
        return _dataclass(hint)
    if origin in (Union, types.UnionType):
        return _union(arguments)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return _several(arguments[0], tuple)
    if origin is tuple:
        return _fixed(arguments)
    if origin is frozenset:
        return _several(arguments[0], frozenset)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(*arguments)
    raise TypeError(f"a stored view cannot carry {hint}")


class _OfJson:
    """Says how `Json`, whose alias is a text that names itself, looks among the types of a dataclass."""

    json: Json


_JSON: Final = get_type_hints(_OfJson)["json"]


def _dataclass(cls: Any) -> Codec:
    """A list of the fields in their order; the class may be inside itself, so the codecs are looked up when used."""
    hints = get_type_hints(cls)
    names = [field.name for field in fields(cls)]
    ways: list[tuple[str, Codec]] = []

    def known() -> list[tuple[str, Codec]]:
        if not ways:
            ways.extend((name, _codec(hints[name])) for name in names)
        return ways

    def out(value: Any) -> Any:
        return [getattr(value, n) if w.same else w.out(getattr(value, n)) for n, w in known()]

    def back(data: Any) -> Any:
        if len(data) != len(names):
            raise ValueError("this is no stored view")
        made = object.__new__(cls)
        for (name, way), found in zip(known(), data, strict=True):
            object.__setattr__(made, name, found if way.same else way.back(found))
        return made

    return Codec(out, back)


def _union(members: tuple[Any, ...]) -> Codec:
    others = [_codec(one) for one in members if one is not type(None)]
    if all(one.same for one in others):
        return _IDENTITY
    if len(others) != 1 or len(members) != 2:
        raise TypeError(f"a stored view cannot carry one of {members}")
    (only,) = others
    return Codec(lambda v: None if v is None else only.out(v), lambda d: None if d is None else only.back(d))


def _several(item: Any, made: Callable[[Any], Any]) -> Codec:
    way = _codec(item)
    if way.same:
        return Codec(list, made)
    return Codec(lambda value: [way.out(one) for one in value], lambda data: made(way.back(one) for one in data))


def _fixed(items: tuple[Any, ...]) -> Codec:
    ways = [_codec(item) for item in items]
    return Codec(
        lambda value: [way.out(one) for way, one in zip(ways, value, strict=True)],
        lambda data: tuple(way.back(one) for way, one in zip(ways, data, strict=True)),
    )


def _mapping(key: Any, item: Any) -> Codec:
    """An object where its keys are texts, else a list of pairs."""
    keys, ways = _codec(key), _codec(item)
    if _is_text(key):
        if ways.same:
            return Codec(dict, dict)
        return Codec(
            lambda value: {k: ways.out(v) for k, v in value.items()},
            lambda data: {k: ways.back(v) for k, v in data.items()},
        )
    return Codec(
        lambda value: [[keys.out(k), ways.out(v)] for k, v in value.items()],
        lambda data: {keys.back(k): ways.back(v) for k, v in data},
    )


def _is_text(hint: Any) -> bool:
    while isinstance(hint, NewType):
        hint = hint.__supertype__
    return hint is str
