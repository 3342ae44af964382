"""The page of the configuration file."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from docs.pages.markdown import code, sentence, table

DOCS = Path(__file__).parents[1]


def configuration() -> str:
    """Return the page of the configuration file, from its JSON schema."""
    from rotator.config.schema import json_schema
    from rotator.registry import kinds

    registered = kinds()
    schema = json_schema(registered)
    _describe(schema["$defs"])
    definitions: dict[str, Any] = schema["$defs"]
    root = schema["properties"]
    shown: set[str] = set()
    parts = [
        "# Configuration reference\n",
        "One YAML file; JSON is YAML, too.",
        "An unknown key, a key written twice and a wrong type are errors with file, line and column.",
        "An optional key without a default may be left empty: it counts as not given, whatever `defaults` says.",
        "A relative path is relative to the folder of the file, and `~` is expanded.",
        "`config/rotator.example.yaml` is a complete file with comments, `config/recipes/` has smaller ones.\n",
        _model("The file", schema, definitions, shown, skip=("connections", "credentials", "defaults")),
    ]
    for name in ("state", "http", "log", "fleet", "advanced"):
        parts.append(_model(f"`{name}`", root[name], definitions, shown))
    for kind in root["connections"]["additionalProperties"]["oneOf"]:
        name = kind["properties"]["type"]["const"]
        parts.append(_model(f"A connection of type `{name}`", kind, definitions, shown, more=_page(name)))
    parts.append(_model("A credential", definitions["credential"], definitions, shown))
    parts.append("`defaults` takes the same keys, without `name`, `adopt` and `renamed_from`.\n")
    for kind in definitions["target"]["oneOf"]:
        name = kind["properties"]["type"]["const"]
        parts.append(_model(f"A target of type `{name}`", kind, definitions, shown, more=_page(name)))
    parts.append(_model("A group", root["groups"]["additionalProperties"], definitions, shown))
    parts.append(_model("A freeze", root["freezes"]["items"], definitions, shown))
    for kind in root["audit"]["items"]["oneOf"]:
        name = kind["properties"]["type"]["const"]
        more = "[More on it](../audit-export.md).\n\n"
        parts.append(_model(f"A sink of type `{name}`", kind, definitions, shown, more=more))
    for kind in root["notify"]["items"]["oneOf"]:
        name = kind["properties"]["type"]["const"]
        more = "[More on it](../notifications.md).\n\n"
        parts.append(_model(f"A channel of type `{name}`", kind, definitions, shown, more=more))
    parts.append("## Outputs\n\nWhat a target's `keys` may name, beside `{ literal: TEXT }`:\n")
    for source, outputs in sorted(registered.outputs.items()):
        parts.append(f"- of `{source}`: {', '.join(code(name) for name in sorted(outputs))}\n")
    return "\n".join(parts)


def _describe(definitions: Mapping[str, Any]) -> None:
    """Fill in what stands below `Attributes:` of the model of a definition, where the schema has no description."""
    from rotator.config.fields import Stanza

    models, waiting = {}, [Stanza]
    while waiting:
        for model in waiting.pop().__subclasses__():
            if model.__module__.startswith("rotator."):  # a test's own stanza may have the same name
                models[model.__name__] = model
            waiting.append(model)
    for name, definition in definitions.items():
        written = inspect.getdoc(models[name]) if name in models else ""
        documented = dict(re.findall(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", written or "", re.MULTILINE))
        for key, spec in definition.get("properties", {}).items():
            spec.setdefault("description", " ".join(documented.get(key, "").split()))


def _page(kind: str) -> str:
    """Return a link to the hand-written page on a kind of target, or of its connection."""
    page = f"{'aws_secrets_manager' if kind == 'aws' else kind}.md"
    return f"[More on it](../targets/{page}).\n\n" if (DOCS / "targets" / page).exists() else ""


def _model(
    title: str,
    schema: Mapping[str, Any],
    definitions: Mapping[str, Any],
    shown: set[str],
    skip: Sequence[str] = (),
    more: str = "",
) -> str:
    """Return a section for one object, followed by those that only it leads to and that no section showed yet."""
    required, rows, below = set(schema.get("required", ())), [], []
    for key, spec in schema.get("properties", {}).items():
        kind, leads = _kind(spec)
        below += [name for name in leads if name not in shown and name not in ("target", "duration", "lifetime")]
        default = "required" if key in required else _default(spec)
        meaning = sentence(str(spec.get("description", "")))
        if key not in skip:
            rows.append((code(key), kind, default, meaning))
        else:
            rows.append((code(key), kind, default, f"{meaning} See below."))
    text = f"## {title}\n\n{sentence(str(schema.get('description', '')))}\n\n".replace("\n\n\n\n", "\n\n")
    text += more + table(("key", "takes", "default", "meaning"), rows)
    for name in dict.fromkeys(below):
        if name in shown or name == "credential":
            continue
        shown.add(name)
        text += "\n" + _model(code(name), definitions[name], definitions, shown).replace("## ", "### ", 1)
    return text


def _default(spec: Mapping[str, Any]) -> str:
    if "default" not in spec:
        return ""
    value = spec["default"]
    return code({True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value))


def _kind(spec: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return what a value may be, in words, and the definitions that it leads to."""
    if "$ref" in spec:
        name = str(spec["$ref"]).rsplit("/", 1)[-1]
        return {"duration": "duration", "lifetime": "duration or `never`"}.get(name, _link(name)), [name]
    if "const" in spec:
        return code(str(spec["const"])), []
    if "enum" in spec:
        return " or ".join(code(str(value)) for value in spec["enum"]), []
    for choice in ("anyOf", "oneOf"):
        if choice in spec:
            found = [_kind(option) for option in spec[choice] if option != {"type": "null"}]
            words = list(dict.fromkeys(word for word, _ in found))
            return " or ".join(words), [name for _, names in found for name in names]
    if spec.get("type") == "array":
        word, names = _kind(spec.get("items", {}))
        return f"list of: {word}", names
    if spec.get("type") == "object":
        return _mapping(spec)
    words = {"string": "text", "boolean": "`true` or `false`", "integer": "whole number", "number": "number"}
    if spec.get("pattern") == "^[0-9a-f]{32}$":
        return "32 hex digits", []
    return ("URL" if spec.get("format") == "uri" else words.get(str(spec.get("type")), "")), []


def _mapping(spec: Mapping[str, Any]) -> tuple[str, list[str]]:
    values = spec.get("additionalProperties")
    if isinstance(values, dict) and "oneOf" not in values:
        word, names = _kind(values)
        return f"mapping to: {word}", names
    keys = spec.get("properties")
    return (f"{{ {', '.join(code(key) for key in keys)} }}" if keys and len(keys) < 4 else "mapping"), []


def _link(name: str) -> str:
    anchor = {"target": "a-target-of-type-env_file", "credential": "a-credential"}.get(name, name.lower())
    return f"[{name}](#{anchor})"
