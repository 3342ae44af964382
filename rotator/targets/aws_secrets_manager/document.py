"""The text of one AWS secret: where in it the managed keys stand. Pure; it knows neither AWS nor the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from rotator.core.secret import Secret
from rotator.targets.json_text import JsonObject


class NotThisFormat(ValueError):
    """The text is not in the configured format; the message never quotes it."""


def values_in(text: str, keys: Mapping[str, str], format_: Literal["json", "string"]) -> dict[str, Secret]:
    """The managed keys that are present and not empty.

    Raises:
        NotThisFormat: `json`, and the text is not one JSON object.
    """
    if format_ == "string":
        return {key: Secret(text) for key in keys if text}
    found = _object(text)
    return {key: Secret(value) for key in keys if (value := found.string(key))}


def with_values(text: str, values: Mapping[str, Secret], format_: Literal["json", "string"]) -> str:
    """The text with `values` set and every other byte as it was.

    Raises:
        NotThisFormat: `json`, and the text is not one JSON object.
    """
    if format_ == "string":
        (only,) = values.values()
        return only.reveal()
    return _object(text).with_strings({key: value.reveal() for key, value in values.items()})


def _object(text: str) -> JsonObject:
    try:
        return JsonObject(text or "{}")
    except ValueError:
        raise NotThisFormat("not a JSON object") from None
