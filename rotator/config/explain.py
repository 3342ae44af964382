"""What is wrong, what is expected, what to write instead: one such line for everything that a file has wrong.

Turns pydantic's errors into these lines and gathers all of them, with places. A line never repeats a value, for what
stands in the wrong place may be a secret; it names keys, and choices that are the program's own.
"""

from __future__ import annotations

import difflib
import inspect
import typing
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from rotator.config.document import Loc, Spot, Tree, shown
from rotator.config.models import Warned
from rotator.core.errors import ConfigError
from rotator.core.findings import Subject

LATER: Final = frozenset({"templates", "api", "web", "kms", "transit"})
"""Keys that are planned and refused until then."""


class ConfigErrors(ConfigError):
    """Everything that is wrong with a configuration; `messages` holds one line each, in the order of the file."""

    def __init__(self, messages: Iterable[str]) -> None:
        self.messages = tuple(messages)
        super().__init__("\n".join(self.messages), "correct the configuration, then run `rotator check --offline`")


class Problems:
    """Collects errors and warnings of one file."""

    def __init__(self, file: str) -> None:
        """`file` is the file's name as the operator wrote it."""
        self._file = file
        self._errors: dict[tuple[Spot, str], None] = {}
        self._warnings: list[tuple[Spot, Warned]] = []

    def beside(self, name: str) -> str:
        """Return what people call a file that the configuration names by a relative path."""
        return str(Path(self._file).parent / name)

    def add(self, spot: Spot, wrong: str, expected: str, instead: str) -> None:
        """Note an error in three parts, the second of them like `expected HTTPS`; the same one twice is one."""
        self.line(spot, f"{wrong}; {expected}; {instead}")

    def line(self, spot: Spot, text: str) -> None:
        """Note an error whose three parts are joined already."""
        self._errors[spot, text] = None

    def warn(self, spot: Spot, subject: Subject, code: str, message: str, remedy: str) -> None:
        """Note something that works and is still worth a word."""
        self._warnings.append(
            (spot, Warned(where=self._at(spot), subject=subject, code=code, message=message, remedy=remedy))
        )

    def invalid(self, error: ValidationError, tree: Tree, model: type[BaseModel], name: str = "") -> None:
        """Note all that pydantic found in what stands at `tree`; `name` is what the stanza is called."""
        details = error.errors(include_url=False, include_input=False)
        for detail in details:
            if detail["type"] == "too_short" and any(_inside(other["loc"], detail["loc"]) for other in details):
                continue  # entries with errors of their own are not counted
            about_key = detail["type"] == "extra_forbidden"
            self.line(tree.at(detail["loc"], key=about_key), _explain(detail, tree, model, name))

    def unknown(self, tree: Tree, known: Collection[str]) -> None:
        """Note every key of a mapping that is not known."""
        for key, _ in tree.items():
            if key not in known:
                self.line(tree.keys[key], unknown_key(key, known))

    @property
    def warnings(self) -> tuple[Warned, ...]:
        """The warnings, in the order of the file."""
        return tuple(warned for _, warned in sorted(self._warnings, key=lambda found: _in_order(found[0])))

    def __bool__(self) -> bool:
        return bool(self._errors)

    def error(self) -> ConfigErrors:
        """Return all errors in the order of the files; what is wrong in many rows of an inventory is one error."""
        lines: dict[str, list[str]] = {}
        for spot, text in sorted(self._errors, key=lambda found: (_in_order(found[0]), found[1])):
            key = f"{spot.file}: {text}" if spot.file else f"{self._at(spot)}: {text}"
            lines.setdefault(key, []).append(f"{self._at(spot)}: {text}")
        return ConfigErrors(
            found[0] if len(found) == 1 else f"{found[0]} (the same in {len(found) - 1} more rows)"
            for found in lines.values()
        )

    def _at(self, spot: Spot) -> str:
        return f"{spot.file or self._file}:{spot.line}:{spot.column}"


def _in_order(spot: Spot) -> tuple[str, int, int]:
    return spot.file, spot.line, spot.column


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the word of `known` that was probably meant, None if none is near; case does not count."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def unknown_key(key: str, known: Collection[str]) -> str:
    """Return the line for a key that is not known here."""
    if key in LATER:
        return f"the key `{key}` is not in this version; {_one_of(known)}; remove it"
    meant = nearest(key, known)
    instead = f"write `{meant}`" if meant else "remove it"
    return f"the key `{shown(key)}` is not known here; {_one_of(known)}; {instead}"


def _one_of(known: Collection[str]) -> str:
    return f"expected one of {', '.join(sorted(known))}" if known else "expected nothing"


_KINDS: Final = {
    "string": ("a text", "write it in quotes"),
    "bool": ("true or false", "write true or false"),
    "int": ("a whole number", "write it without quotes and unit"),
    "float": ("a number", "write it without quotes and unit"),
    "list": ("a list", "write [ … ], or one `- …` a line"),
    "tuple": ("a list", "write [ … ], or one `- …` a line"),
    "set": ("a list", "write [ … ], or one `- …` a line"),
    "frozen": ("a list", "write [ … ], or one `- …` a line"),
    "dict": ("a mapping", "write { … }, or one `key: value` a line"),
    "mapping": ("a mapping", "write { … }, or one `key: value` a line"),
    "model": ("a mapping", "write { … }, or one `key: value` a line"),
    "path": ("a path", "write for example /srv/app/.env"),
    "url": ("a URL", "write for example https://example.com"),
}


_LIMITS: Final = {
    "greater_than": ("more than {}", "gt"),
    "greater_than_equal": ("at least {}", "ge"),
    "less_than": ("less than {}", "lt"),
    "less_than_equal": ("at most {}", "le"),
    "too_short": ("at least {} entry", "min_length"),
    "too_long": ("at most {} entries", "max_length"),
    "string_too_short": ("a text of at least {} character", "min_length"),
    "string_too_long": ("a text of at most {} characters", "max_length"),
    "string_pattern_mismatch": ("a text that matches {}", "pattern"),
}


def _explain(detail: ErrorDetails, tree: Tree, model: type[BaseModel], name: str) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    loc = detail["loc"]
    real = _existing(tree, loc)
    what = _called(real) or name or "the value"
    if kind == "rotator":
        return (
            detail["msg"] if "expected" in context else f"{detail['msg']}; expected another value; see `rotator schema`"
        )
    if kind == "extra_forbidden":
        return unknown_key(str(loc[-1]), _keys_at(model, loc[:-1]))
    if kind == "missing":
        example = _example(_annotation_at(model, loc))
        where = f" in {name}" if name and len(loc) == 1 else ""
        return f"the key `{loc[-1]}` is missing{where}; expected a value for it; write `{loc[-1]}: {example}`"
    if kind in {"literal_error", "enum"}:
        return f"{what} does not have that choice; expected {context['expected']}; write one of these"
    if kind in {"value_error", "assertion_error"}:
        why = context.get("error", detail["msg"])
        return f"{what} is not valid: {why}; expected another value; see `rotator schema`"
    if kind in _LIMITS:
        expected, key = _LIMITS[kind]
        return f"{what} is out of bounds; expected {expected.format(context[key])}; write another"
    family = kind.split("_")[0]
    if family in _KINDS and kind.split("_")[-1] in {"type", "parsing", "float", "str", "error"}:
        expected, instead = _KINDS[family]
        return f"{what} is {_found(tree, real)}; expected {expected}; {instead}"
    return f"{what} is not valid; expected another value ({_lower(detail['msg'])}); see `rotator schema`"


def _called(loc: Loc) -> str:
    """The last key on the way, which is what people call a value, with the number of an entry of a list."""
    if loc and isinstance(loc[-1], int):
        key = next((part for part in reversed(loc) if isinstance(part, str)), None)
        return f"entry {loc[-1] + 1} of `{key}`" if key is not None else f"entry {loc[-1] + 1}"
    return f"`{shown(loc[-1])}`" if loc and isinstance(loc[-1], str) else ""


def _existing(tree: Tree, loc: Loc) -> list[Any]:
    """`loc` without what does not stand in the file: validators put names of alternatives between keys."""
    here = tree
    real: list[str | int] = []
    for part in loc:
        inner: Any = here.value
        if part in (inner if isinstance(inner, dict) else range(len(inner)) if isinstance(inner, list) else ()):
            here = inner[part]
            real.append(part)
    return real


def _found(tree: Tree, loc: Loc) -> str:
    value: Any = tree
    for part in loc:
        value = value.value[part]
    match value.value:
        case None:
            return "empty"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case dict():
            return "a mapping"
    return "a text"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _keys_at(model: type[BaseModel], loc: Loc) -> tuple[str, ...]:
    """The keys that the model at `loc` knows, nothing if no model stands there."""
    return tuple(str(key) for found in _models_in(_annotation_at(model, loc)) for key in fields_of(found))


def _annotation_at(model: type[BaseModel], loc: Loc) -> Any:
    found: Any = model
    for part in loc:
        inner = next((fields[part] for fields in map(fields_of, _models_in(found)) if part in fields), None)
        found = inner.annotation if inner is not None else found
    return found


def _example(annotation: Any) -> str:
    if typing.get_origin(annotation) in {list, tuple, set, frozenset}:
        return "[ … ]"
    return "{ … }" if _models_in(annotation) or typing.get_origin(annotation) is dict else "…"


def _inside(inner: Loc, outer: Loc) -> bool:
    return len(inner) > len(outer) and tuple(inner[: len(outer)]) == tuple(outer)


def fields_of(model: type[BaseModel]) -> Mapping[str | int, FieldInfo]:
    """Return the fields of a model by the keys that are written."""
    return {field.alias or key: field for key, field in model.model_fields.items()}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    # A generic such as `list[str]` passes for a class, too, and has arguments.
    if inspect.isclass(annotation) and not typing.get_args(annotation):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for argument in typing.get_args(annotation) for model in _models_in(argument)]
