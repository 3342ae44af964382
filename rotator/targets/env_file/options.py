"""What the configuration says of an `env_file` target, and what is wrong with it before any file is opened."""

import os
from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema

from rotator.config.fields import ConfigPath, OctalMode, Stanza, as_written, wrong
from rotator.config.kinds import Complaint
from rotator.targets.env_file.document import KEY, DocumentError, encode

LITERAL: Final = "literal:"


def _account(value: object) -> str:
    text = as_written(value)
    if isinstance(text, int) and not isinstance(text, bool) and text >= 0:
        text = str(text)
    if not isinstance(text, str) or not text or not text.isprintable() or text != text.strip():
        raise wrong("this is not a user or group", "expected a name or a number", "write for example app or 1000")
    return text


Account = Annotated[
    str,
    BeforeValidator(_account),
    WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}]}),
]
"""A user or group of this machine, by name or number; looked up when the file is written."""


class EnvFileOptions(Stanza):
    """One dotenv file (`.env`, `.dev.vars`).

    Attributes:
        path: the file; links are followed and kept.
        mode: for a file that we create 0600 if absent; written here it also holds for an existing file.
        user: owner, likewise; by default an existing file keeps its own, and one that root creates takes its folder's.
        group: likewise.
        create: whether a missing file is created (its folder never is).
        allow_tracked: write also where git tracks the file or does not ignore it.
    """

    path: ConfigPath
    mode: OctalMode | None = None
    user: Account | None = None
    group: Account | None = None
    create: bool = True
    allow_tracked: bool = False

    @property
    def place(self) -> str:
        """The path without detours; links are not followed here, the writer's own lock does that."""
        return os.path.normpath(self.path)


def complaints(options: EnvFileOptions, keys: Mapping[str, str]) -> Iterator[Complaint]:
    """What is wrong with `keys` (key -> output name, or `literal:TEXT`) in a dotenv file."""
    if options.mode is not None and options.mode & 0o004:
        yield Complaint(
            at=("mode",),
            wrong="every user of this machine could read the file",
            expected="expected: a file with secrets is for its owner, perhaps its group",
            instead='write "0600" or "0640"',
            fatal=False,
        )
    for key, output in keys.items():
        if not KEY.match(key):
            yield Complaint(
                at=("keys", key),
                wrong="this cannot be a key of a dotenv file",
                expected="expected: letters, digits and underscores, no digit first",
                instead="write for example CLOUDFLARE_API_TOKEN",
            )
        elif output.startswith(LITERAL):
            try:
                encode(key, output.removeprefix(LITERAL))
            except DocumentError as error:
                yield Complaint(
                    at=("keys", key),
                    wrong=error.message,
                    expected="expected: text without quotes, backslashes, dollar signs and control characters",
                    instead="write another literal",
                )
