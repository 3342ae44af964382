"""The JSON schema of the configuration file, for editors and for `rotator schema`; generated, never written by hand.

It says what one stanza may hold. What two stanzas have to do with each other no schema can say, so a file
that fits it may still be refused (`references`). Durations, secrets and kinds come out as the loader reads them.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from rotator.config.audit import KINDS as SINKS
from rotator.config.explain import fields_of
from rotator.config.fields import DURATION_SCHEMA, LIFETIME_SCHEMA, NAME_PATTERN, format_duration
from rotator.config.hours import FreezeStanza, GroupStanza
from rotator.config.inventory import ENDS
from rotator.config.kinds import Kinds, TargetKind
from rotator.config.models import Advanced, CredentialCommon, Http, Log, Node, State, TargetCommon
from rotator.config.naming import Names
from rotator.config.notify import KINDS as CHANNELS
from rotator.config.page import Page

Schema = dict[str, Any]

_TIMES: Final = {"duration": DURATION_SCHEMA, "lifetime": LIFETIME_SCHEMA}

_EMPTY: Final[Schema] = {"type": "null"}

_OWN: Final = ("name", "adopt", "renamed_from")
_ATTRIBUTE: Final = re.compile(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)


def json_schema(kinds: Kinds) -> Schema:
    """Return the schema (draft 2020-12) of a configuration with these connections, sources and targets."""
    target_options = [kind.options for kind in kinds.targets.values()]
    models: list[type[BaseModel]] = [State, Node, Http, Log, Advanced, Names, Page, CredentialCommon, TargetCommon]
    models += [GroupStanza, FreezeStanza, *SINKS.values(), *CHANNELS.values()]
    models += [*kinds.connections.values(), *kinds.sources.values(), *target_options]
    references, found = models_json_schema([(model, "validation") for model in dict.fromkeys(models)])
    definitions: dict[str, Schema] = found["$defs"]
    _describe({name.rsplit("/", 1)[-1]: model for model, name in _names(references).items()}, definitions)

    def of(model: type[BaseModel]) -> Schema:
        return definitions[_names(references)[model].rsplit("/", 1)[-1]]

    credential = _credential(of(CredentialCommon), [of(model) for model in kinds.sources.values()])
    shared = {key: spec for key, spec in credential["properties"].items() if key not in _OWN}
    root: Schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of rotator",
        "type": "object",
        "additionalProperties": False,
        "required": ["version"],
        "properties": {
            "version": {"const": 1, "description": "Version of this format."},
            "state": of(State),
            "node": of(Node)["properties"]["node"],
            "http": of(Http),
            "log": of(Log),
            "connections": _connections([_connection(n, of(model)) for n, model in sorted(kinds.connections.items())]),
            "defaults": {
                "type": "object",
                "description": "Anything that several credentials share; a credential's own keys win.",
                "additionalProperties": False,
                "properties": shared,
            },
            "credentials": {
                "type": "array",
                "description": "What is kept fresh.",
                "items": {"$ref": "#/$defs/credential"},
            },
            "fleet": _fleet(credential),
            **_calendar(of(GroupStanza), of(FreezeStanza)),
            "advanced": of(Advanced),
            "names": of(Names),
            "page": of(Page),
            "audit": _audit([of(model) for model in SINKS.values()]),
            "notify": _notify([of(model) for model in CHANNELS.values()]),
        },
    }
    root["properties"] = {key: _or_nothing(spec) for key, spec in root["properties"].items()}
    targets = [_target(n, k, of(TargetCommon), of(k.options)) for n, k in sorted(kinds.targets.items())]
    used = _needed([root, credential, *targets], definitions)
    schema: Schema = _tidy({**root, "$defs": {**used, "credential": credential, "target": {"oneOf": targets}}})
    schema["$defs"] |= _TIMES
    return schema


def _connections(kinds: list[Schema]) -> Schema:
    return {
        "type": "object",
        "description": "Named logins: what mints tokens, and where targets are.",
        "propertyNames": {"pattern": NAME_PATTERN},
        "additionalProperties": {"oneOf": kinds},
    }


def _or_nothing(spec: Schema) -> Schema:
    """A section of which only the head stands there is read like one that is absent."""
    return {**spec, "type": [spec["type"], "null"]} if "type" in spec else spec


def schema_text(kinds: Kinds) -> str:
    """Return the schema as the file `config/rotator.schema.json` holds it."""
    return json.dumps(json_schema(kinds), indent=2, ensure_ascii=False) + "\n"


def _names(references: Mapping[Any, Any]) -> dict[type[BaseModel], str]:
    return {model: reference["$ref"] for (model, _), reference in references.items()}


def _connection(name: str, options: Schema) -> Schema:
    return _merged(options.get("description", ""), {"type": {"const": name}}, [options], {"type"})


def _target(name: str, kind: TargetKind, common: Schema, options: Schema) -> Schema:
    needed = {"type"} if kind.connection_type is None else {"type", "connection"}
    found = _merged(options.get("description", ""), {}, [common, options], needed)
    found["properties"]["type"] = {"const": name}
    if kind.connection_type is None:
        del found["properties"]["connection"]
    return found


def _credential(common: Schema, sources: list[Schema]) -> Schema:
    """Only the name is required: everything else may come from `defaults`."""
    targets = {"type": "array", "items": {"$ref": "#/$defs/target"}}
    found = _merged(
        "One thing to keep fresh.",
        {
            "targets": {
                **targets,
                "description": "The places where its value is published; none with `adopt`: the token is only watched.",
            }
        },
        [common, *sources],
        set(),
    )
    placed = {"properties": {"targets": {"minItems": 1}}}
    return {**found, "required": ["name"], "if": {"not": {"required": ["adopt"]}}, "then": placed}


def _fleet(credential: Schema) -> Schema:
    """A template is a credential in which a column may stand for anything, so only its keys can be said."""
    row = {"type": "object", "additionalProperties": True}
    return {
        "type": "object",
        "description": "Many credentials by one stanza: a template, filled in for each row of an inventory.",
        "additionalProperties": False,
        "required": ["inventory", "template"],
        "properties": {
            "inventory": {
                "description": "A file with a JSON object a line (.jsonl) or with a line of column names (.csv), "
                "or the rows themselves.",
                "anyOf": [
                    {"type": "string", "pattern": "\\.(" + "|".join(end[1:] for end in ENDS) + ")$"},
                    {"type": "array", "items": row},
                ],
            },
            "template": {
                "type": "object",
                "description": "A credential; every text in it may name columns, {column}. Default of `name`: {name}.",
                "propertyNames": {"enum": sorted(credential["properties"])},
            },
        },
    }


def _calendar(group: Schema, freeze: Schema) -> Schema:
    groups = {
        "type": "object",
        "description": "Credentials of which two are never rotated at once.",
        "propertyNames": {"pattern": NAME_PATTERN},
        "additionalProperties": _or_nothing(group),
    }
    return {
        "groups": groups,
        "freezes": {"type": "array", "description": "Times in which no rotation begins.", "items": freeze},
    }


def _audit(sinks: list[Schema]) -> Schema:
    return {
        "type": "array",
        "description": "Where every fact is exported to, in lines that prove by themselves that nothing is missing.",
        "items": {"oneOf": sinks},
    }


def _notify(channels: list[Schema]) -> Schema:
    return {
        "type": "array",
        "description": "Who is told what happens and what needs a person.",
        "items": {"oneOf": channels},
    }


def _merged(description: str, extra: Mapping[str, Any], parts: Iterable[Schema], required: set[str]) -> Schema:
    properties: dict[str, Any] = dict(extra)
    needed = set(required)
    for part in parts:
        properties.update(part.get("properties", {}))
        needed |= set(part.get("required", ()))
    return {
        "type": "object",
        "description": description,
        "additionalProperties": False,
        "required": sorted(needed),
        "properties": properties,
    }


def _describe(models: Mapping[str, type[BaseModel]], definitions: Mapping[str, Schema]) -> None:
    """Give properties the description that stands below `Attributes:` of their model."""
    for name, model in models.items():
        documented = dict(_ATTRIBUTE.findall(inspect.getdoc(model) or ""))
        keys = {field: str(key) for key, field in zip(fields_of(model), model.model_fields, strict=True)}
        for field, text in documented.items():
            spec = definitions[name].get("properties", {}).get(keys.get(field, field))
            if spec is not None:
                spec.setdefault("description", " ".join(text.split()))


def _needed(roots: Iterable[Any], definitions: Mapping[str, Schema]) -> dict[str, Schema]:
    """The definitions that are reached from `roots`."""
    found: dict[str, Schema] = {}
    waiting = list(roots)
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            name = str(here.get("$ref", "")).removeprefix("#/$defs/")
            if name in definitions and name not in found:
                found[name] = definitions[name]
                waiting.append(definitions[name])
            waiting += here.values()
        elif isinstance(here, list):
            waiting += here
    return dict(sorted(found.items()))


def _tidy(here: Any) -> Any:
    """Without what only confuses in an editor: generated titles, defaults of nothing, long docstrings."""
    if isinstance(here, list):
        return [_tidy(inner) for inner in here]
    if not isinstance(here, dict):
        return here
    found = {key: _tidy(inner) for key, inner in here.items() if not (key == "title" and here.get("type") != "object")}
    if isinstance(found.get("properties"), dict) and "$schema" not in found:
        found.pop("title", None)
    if isinstance(found.get("default", 0), dict | None):
        del found["default"]
    if isinstance(found.get("description"), str):
        found["description"] = " ".join(found["description"].split("\n\n")[0].split())
    options = [option for option in found.get("anyOf", ()) if option != _EMPTY]
    may_be_empty = len(options) < len(found.get("anyOf", ()))
    if may_be_empty:
        del found["anyOf"]
        found = {**(options[0] if len(options) == 1 else {"anyOf": options}), **found}
    for name, schema in _TIMES.items():
        if found.get("anyOf") == schema["anyOf"]:
            found = {"$ref": f"#/$defs/{name}", **{key: inner for key, inner in found.items() if key != "anyOf"}}
            if "default" in found:
                found["default"] = format_duration(float(found["default"]))
            if found.get("description") == schema["description"]:
                del found["description"]
    return _or_empty(found) if may_be_empty else found


def _or_empty(spec: Schema) -> Schema:
    """An optional key without a default may be left empty, and is then read like one that is absent."""
    said: Schema = {key: spec[key] for key in ("description", "default") if key in spec}
    what: Schema = {key: inner for key, inner in spec.items() if key not in said}
    return {"anyOf": [*(what["anyOf"] if what.keys() == {"anyOf"} else [what]), _EMPTY], **said}
