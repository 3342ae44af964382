"""The name convention of the configuration: `names: {pattern: "{purpose}-{env:dev|prod}-{owner}"}`. Pure.

A part in braces stands for one or more characters, none of which the pattern itself uses between its parts; with
`:a|b|c` behind its name it stands for one of these. Everything else stands for itself.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from rotator.config.fields import Stanza, Text, wrong

_PART: Final = re.compile(r"\{([a-z][a-z0-9_]*)(?::([A-Za-z0-9_.|-]+))?\}")


def _pattern(value: str) -> str:
    rest = _PART.sub("", value)
    if "{" in rest or "}" in rest:
        raise wrong(
            "a brace in the pattern belongs to no part",
            "expected parts like {purpose} or {env:dev|prod}",
            'write for example "{purpose}-{env}-{owner}"',
        )
    if not _PART.search(value):
        raise wrong("the pattern has no part", "expected at least one, e.g. {purpose}", "write a part in braces")
    if "}{" in value:
        raise wrong(
            "two parts of the pattern stand side by side",
            "expected something between them, so that both can be told apart",
            'write for example "{purpose}-{env}"',
        )
    return value


class Names(Stanza):
    """How tokens are to be called; `discover` finds those that are called otherwise."""

    pattern: Annotated[Text, AfterValidator(_pattern)] = Field(
        description='Parts in braces, e.g. "{purpose}-{env:dev|prod}-{owner}".'
    )

    def fits(self, name: str) -> bool:
        """Whether a token's name follows the convention."""
        return _compiled(self.pattern).fullmatch(name) is not None


@lru_cache(maxsize=16)
def _compiled(pattern: str) -> re.Pattern[str]:
    between = "".join(dict.fromkeys(_PART.sub("", pattern)))
    any_ = f"[^{re.escape(between)}]+" if between else ".+"
    made, end = "", 0
    for part in _PART.finditer(pattern):
        choices = part[2]
        made += re.escape(pattern[end : part.start()])
        made += f"(?:{'|'.join(map(re.escape, choices.split('|')))})" if choices else any_
        end = part.end()
    return re.compile(made + re.escape(pattern[end:]))
