"""How a fact stands in a row: some columns, and a JSON object for what only its kind has; and back.

The words and keys never change their meaning: this and newer versions read what earlier ones wrote. A newer version may
add keys to a kind, which earlier ones pass over; what they must not pass over is a kind of its own. A kind that they
*may* pass over says so in its object (`ignorable`), because they do not know its type.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from operator import attrgetter
from typing import Any, Final

from rotator.core import facts
from rotator.core.credential import Policy, Strategy, Terms
from rotator.core.drift import Difference, Part
from rotator.core.facts import MACHINE, Draft, How, Kind, Unknown, What
from rotator.core.plain import Json, bounded, unbounded
from rotator.core.reasons import OperatorCode

Columns = tuple[int, str, str, str, int, str]

COLUMNS: Final = ("attempt", "token_id", "token_name", "target", "generation", "fingerprint")
"""What several kinds of facts tell: fields of their own in a row, in this order."""

BLANK: Final[Columns] = (0, "", "", "", 0, "")
"""The columns of a fact that tells none of them."""

IGNORABLE: Final = "ignorable"
"""Key in the object of a fact that may be passed over by a version that does not know its kind."""

Data = Mapping[str, Any]


def encode(what: What) -> tuple[Columns, dict[str, Json]]:
    """Return the columns and the object of a fact."""
    shape = _SHAPES[what.kind]
    columns = list(BLANK)
    for index, get in shape.columns:
        columns[index] = get(what)
    data = shape.write(what)
    return (*columns,), {**data, IGNORABLE: True} if what.ignorable else data  # type: ignore[return-value]  # as BLANK


def decode(word: str, columns: Columns, data: Data, machine: int = MACHINE) -> What:
    """Return what a row tells; `Unknown` for a kind that this version does not know, or not in this shape.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it makes no sense.
    """
    shape = _BY_WORD.get(word)
    if shape is None or machine > MACHINE:
        return Unknown(word=word, passed_over=data.get(IGNORABLE) is True)
    found = {name: columns[index] for name, index in shape.named}
    return shape.make(**found, **shape.read(data))


def read(word: str, columns: Columns, text: str, machine: int = MACHINE) -> What:
    """The same, of an object that is still text."""
    return decode(word, columns, {} if text == "{}" else json.loads(text), machine)


def draft(kind: Kind, *, at: float, **row: Any) -> Draft:
    """Return a draft from the fields of a row: columns by name, `detail` the object."""
    columns: Any = tuple(row.pop(name, blank) for name, blank in zip(COLUMNS, BLANK, strict=True))
    return Draft(what=decode(kind, columns, row.pop("detail", {})), at=at, **row)


# ---------------------------------------------------------------------------------------------------- one value in JSON
def _text(found: object) -> str:
    return found if isinstance(found, str) else ""


def _number(found: object) -> float:
    return float(found) if isinstance(found, int | float) else 0.0


def _texts(found: object) -> dict[str, str]:
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _names(found: object) -> tuple[str, ...]:
    return tuple(map(str, found)) if isinstance(found, list) else ()


def _text_or_none(found: object) -> str | None:
    return found if isinstance(found, str) else None


def _texts_or_none(found: object) -> dict[str, str] | None:
    return _texts(found) if isinstance(found, dict) else None


def _policy(found: object) -> Policy:
    return Policy.from_json(found) if isinstance(found, dict) else Policy()


def _strategy(found: object) -> Strategy | None:
    return Strategy(str(found)) if found else None


def _how(found: object) -> How | None:
    return next((how for how in How if how == found), None)


def _differences(found: object) -> tuple[Difference, ...]:
    """Those of a part that this version knows."""
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    known = {part.value: part for part in Part}
    return tuple(
        Difference(part=known[row["part"]], message=_text(row.get("message")), widens=bool(row.get("widens")))
        for row in rows
        if row.get("part") in known
    )


def _written_differences(found: tuple[Difference, ...]) -> Json:
    return [{"part": one.part.value, "message": one.message, "widens": one.widens} for one in found]


def _same(found: Any) -> Any:
    return found


_READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(("str", "TokenId", "Fingerprint", "CredentialId", "RequestId"), _text),
    "bool": bool,
    "float": _number,
    "Json": _same,
    "Policy": _policy,
    "str | None": _text_or_none,
    "tuple[str, ...]": _names,
    "tuple[Fingerprint, ...]": _names,
    "tuple[TokenId, ...]": _names,
    "Mapping[str, Fingerprint]": _texts,
    "Mapping[str, Fingerprint] | None": _texts_or_none,
    "Strategy | None": _strategy,
    "OperatorCode | None": OperatorCode.of,
    "How | None": _how,
    "tuple[Difference, ...]": _differences,
}
"""By the annotation of a field: how its value is read."""

_WRITE: Final[Mapping[str, Callable[[Any], Json]]] = {
    "Policy": Policy.to_json,
    "tuple[Difference, ...]": _written_differences,
    "tuple[str, ...]": list,
    "tuple[Fingerprint, ...]": list,
    "tuple[TokenId, ...]": list,
    "Mapping[str, Fingerprint]": dict,
    "Mapping[str, Fingerprint] | None": lambda found: None if found is None else dict(found),
}
"""By the annotation of a field: how its value is written, where that is not as it is."""

_UNBOUNDED: Final = frozenset({"expires_at", "until", "life"})
"""Times that may be never."""


# ----------------------------------------------------------------------------------------------------- one kind of fact
@dataclass(frozen=True, slots=True)
class _Shape:
    """How one kind of fact stands in a row.

    Attributes:
        make: its type.
        columns: index of a column and how the fact tells it.
        named: name and index of the same columns.
        write: the object that it tells.
        read: the fields that an object tells.
    """

    make: Callable[..., What]
    columns: tuple[tuple[int, Callable[[Any], Any]], ...]
    named: tuple[tuple[str, int], ...]
    write: Callable[[Any], dict[str, Json]]
    read: Callable[[Data], dict[str, Any]]


def _shape(kind: type[What]) -> _Shape:
    own = [found for found in fields(kind) if found.name not in COLUMNS]  # type: ignore[arg-type]  # all are dataclasses
    named = tuple((found.name, COLUMNS.index(found.name)) for found in fields(kind) if found.name in COLUMNS)  # type: ignore[arg-type]
    reads, writes = [], []
    for found in own:
        name, annotation = found.name, str(found.type)
        never = name in _UNBOUNDED
        reads.append((name, unbounded if never else _READ[annotation]))
        writes.append((name, attrgetter(name), bounded if never else _WRITE.get(annotation, _same)))
    write, take = partial(_write, tuple(writes)), partial(_read, tuple(reads))
    return _Shape(kind, tuple((index, attrgetter(name)) for name, index in named), named, write, take)


def _write(writes: tuple[tuple[str, Callable[[Any], Any], Callable[[Any], Json]], ...], what: What) -> dict[str, Json]:
    return {name: write(get(what)) for name, get, write in writes}


def _read(reads: tuple[tuple[str, Callable[[Any], Any]], ...], data: Data) -> dict[str, Any]:
    return {name: take(data.get(name)) for name, take in reads}


def _planned() -> _Shape:
    """Its terms stand in the object as they are, beside the request."""
    named = (("token_id", 1), ("fingerprint", 5))
    return _Shape(
        make=facts.Planned,
        columns=tuple((index, attrgetter(name)) for name, index in named),
        named=named,
        write=lambda what: {**what.terms.to_json(), "request_id": what.request_id},
        read=lambda data: {"terms": Terms.from_json(data), "request_id": _text(data.get("request_id"))},
    )


def _configured() -> _Shape:
    """Its object is the stanza itself."""
    return _Shape(facts.Configured, (), (), lambda what: dict(what.spec), lambda data: {"spec": data})


KINDS: Final[tuple[type[What], ...]] = (
    *(facts.Intent, facts.Captured, facts.Abandoned, facts.Verified, facts.Publishing, facts.Confirmed, facts.Done),
    *(facts.Displaced, facts.Extended, facts.Failed, facts.PublishIntent, facts.Written, facts.ReadBack),
    *(facts.Unwritten, facts.RetirementOpened, *facts.RETIREMENT_STEPS.values()),
    *(facts.Baseline, facts.Sighted, facts.Known, facts.Adopted, facts.Overridden, facts.OverrideEnded),
    *(facts.TargetReleased, facts.TargetAdded, facts.Held, facts.Ahead, facts.Acknowledged, facts.Hooked),
    *(facts.Requested, facts.Revoked, facts.Paused, facts.Resumed, facts.Resolved),
    *(facts.Compared, facts.Updating, facts.Updated, facts.Kept, facts.Forgotten),
    *(facts.Member, facts.Extending, facts.Prolonged, facts.Rolling, facts.Placed, facts.Unkept),
)
"""Types whose fields are their object."""

_SHAPES: Final[Mapping[Kind, _Shape]] = {
    Kind.PLANNED: _planned(),
    Kind.CONFIGURED: _configured(),
    **{kind.kind: _shape(kind) for kind in KINDS},
}
_BY_WORD: Final[Mapping[str, _Shape]] = {kind.value: shape for kind, shape in _SHAPES.items()}
