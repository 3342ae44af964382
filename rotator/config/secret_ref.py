"""Where a secret is read from: a file, an environment variable, a command or a systemd credential.

Never from the configuration itself. It is read anew at each use, so that a mounted secret may change under a running
daemon. What is read is never kept, logged or repeated in an error. This module does not know what the secret is for.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import stat
import subprocess
import time
from pathlib import Path
from typing import IO, Annotated, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationInfo,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from rotator.config.fields import ConfigPath, Stanza, Text, resolve, wrong
from rotator.core.errors import ConfigError, Unavailable
from rotator.core.secret import Secret

LARGEST: Final = 64 * 1024
"""Bytes; a longer secret is a mistake (a wrong path, a command that prints help)."""

COMMAND_TIMEOUT: Final = 10.0
"""Seconds until a command that reads a secret is killed."""

KINDS: Final = ("file", "env", "command", "systemd_credential")
_INSTEAD: Final = "write {file: PATH}, {env: NAME}, {command: [PROGRAM, …]} or {systemd_credential: NAME}"


def program(value: list[str], info: ValidationInfo) -> list[str]:
    """Return a command whose program has a place.

    One with a slash in its name is a path and follows the rule for paths; one without is looked up in PATH.
    """
    name = value[0]
    return [str(resolve(name, info)), *value[1:]] if "/" in name or name.startswith("~") else value


def _credential_name(value: object) -> object:
    if isinstance(value, str) and ("/" in value or value in {".", ".."}):
        raise wrong(
            "this is not the name of a credential",
            "expected a name without slashes",
            "write the ID of LoadCredential=",
        )
    return value


class SecretMissing(ConfigError):
    """The file that a secret is read from is not there: perhaps it is yet to be made."""


class SecretRef(Stanza):
    """Exactly one of `file`, `env`, `command` (a list: program and arguments, no shell) and `systemd_credential`."""

    file: ConfigPath | None = None
    env: Annotated[Text, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    command: Annotated[list[Text], Field(min_length=1), AfterValidator(program)] | None = None
    systemd_credential: Annotated[Text, BeforeValidator(_credential_name)] | None = None

    @model_validator(mode="wrap")
    @classmethod
    def _exactly_one(cls, value: object, handler: ModelWrapValidatorHandler[SecretRef]) -> SecretRef:
        if isinstance(value, str | int | float):
            raise wrong("a secret stands in clear text", "expected a place to read it from", _INSTEAD)
        found = handler(value)
        if sum(getattr(found, kind) is not None for kind in KINDS) != 1:
            raise wrong("a secret is read from exactly one place", f"expected one of {', '.join(KINDS)}", _INSTEAD)
        return found

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """One key of the four, none of them null: the schema says what the validator above refuses."""
        found = handler.resolve_ref_schema(handler(schema))
        for spec in found["properties"].values():
            spec.pop("default", None)
            if "anyOf" in spec:
                spec.update(next(option for option in spec.pop("anyOf") if option.get("type") != "null"))
        found["minProperties"] = found["maxProperties"] = 1
        return found

    def describe(self) -> str:
        """Return where the secret is read from, for messages; of a command the program alone."""
        if self.file is not None:
            return f"file {self.file}"
        if self.env is not None:
            return f"environment variable {self.env}"
        if self.command is not None:
            return f"command {self.command[0]}"
        return f"systemd credential {self.systemd_credential}"

    def read(self) -> Secret:
        """Read the secret now; one trailing line end is taken off.

        Raises:
            SecretMissing: its file is not there.
            ConfigError: it is not readable, empty, too long, not one line of printable characters without
                spaces, or its file may be written by others.
            Unavailable: the command failed or took longer than `COMMAND_TIMEOUT`.
        """
        return one_line(self._content(), self.describe())

    def read_lines(self) -> Secret:
        """Read what may have several lines, a key file; for errors see `read`, but for those about lines and spaces."""
        content = self._content()
        if len(content) > LARGEST:
            raise ConfigError(f"reading a secret: {self.describe()} is longer than {LARGEST} bytes", "name another one")
        text = content.decode("ascii", "replace")
        if not text.strip():
            raise ConfigError(f"reading a secret: {self.describe()} is empty", "put the secret there")
        return Secret(text)

    @property
    def changes(self) -> bool:
        """Whether reading it again costs nothing and may find something new: so it is with files."""
        return self.file is not None or self.systemd_credential is not None

    def _content(self) -> bytes:
        if self.env is not None:
            content = os.environb.get(self.env.encode())
            if content is None:
                raise ConfigError(f"reading a secret: {self.describe()} is not set", f"set {self.env} for this process")
            return content
        if self.command is not None:
            return _run(self.command, self.describe())
        return _read_file(self._path(), self.describe())

    def refusal(self) -> str | None:
        """Return why `read` would refuse the file as it is now, for others may write it; None if it would not.

        What cannot be looked at (not there yet, another user's folder) is left to `read`.
        """
        found = self._status()
        return _written_by_others(self.describe(), found) if found is not None else None

    def concern(self) -> tuple[str, str] | None:
        """Return what is wrong with the protection of the secret's file though it can be used, and what to do.

        None if nothing is.

        A file that others may read, or that somebody else owns, is a warning only: Kubernetes mounts secrets as 0644
        and compose mounts files of the host's user. A file that is not there is no concern; `read` says that.
        """
        found = self._status()
        if found is None:
            return None
        if found.st_mode & (stat.S_IRGRP | stat.S_IROTH):
            mode = f"{stat.S_IMODE(found.st_mode):04o}"
            return f"{self.file} can be read by others (mode {mode})", "chmod 0600 it if you can"
        if found.st_uid not in {0, os.geteuid()}:
            change = "chown it to rotator's user if you can"
            return f"{self.file} belongs to user {found.st_uid}, who can change it", change
        return None

    def _status(self) -> os.stat_result | None:
        try:
            return self.file.stat() if self.file is not None else None
        except OSError:
            return None

    def _path(self) -> Path:
        if self.file is not None:
            return self.file
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise ConfigError(
                f"reading a secret: {self.describe()} needs CREDENTIALS_DIRECTORY, which systemd sets",
                "add LoadCredential= to the unit, or use {file: PATH} outside of systemd",
            )
        return Path(folder, self.systemd_credential or "")


def _read_file(path: Path, what: str) -> bytes:
    """The checks are made on the open file, so that nothing can be exchanged between check and read."""
    try:
        # Not blocking: opening a FIFO would wait for a writer.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        kind = SecretMissing if isinstance(error, FileNotFoundError) else ConfigError
        raise kind(
            f"reading a secret: {what} cannot be opened: {error.strerror}", "create it, or correct the path"
        ) from None
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise ConfigError(f"reading a secret: {what} is not a regular file", "give the path of a file")
        refusal = _written_by_others(what, found)
        if refusal is not None:
            raise ConfigError(
                f"reading a secret: {refusal}", f"chmod go-w {path}, and make sure that it still holds your secret"
            )
        content = b""
        while len(content) <= LARGEST and (piece := os.read(fd, LARGEST)):
            content += piece
        return content
    except OSError as error:
        raise ConfigError(f"reading a secret: {what} cannot be read: {error.strerror}", "check the disk") from None
    finally:
        os.close(fd)


def _written_by_others(what: str, found: os.stat_result) -> str | None:
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"{what} can be written by others (mode {stat.S_IMODE(found.st_mode):04o})"
    return None


def _run(command: list[str], what: str) -> bytes:
    """Run a command in a process group of its own and return its output, at most little more than `LARGEST` bytes."""
    try:
        # The operator's own command, without a shell; its standard error may repeat the secret and goes nowhere.
        process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise ConfigError(
            f"reading a secret: {what} cannot be started: {error.strerror}", "install it, or correct the path"
        ) from None
    deadline = time.monotonic() + COMMAND_TIMEOUT
    code: int | None = None
    with process:
        try:
            content = _drain(process.stdout, deadline) if process.stdout is not None else None
            if content is not None and len(content) <= LARGEST:
                code = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            content = None
        finally:
            if code is None:
                # Not reaped yet, so the number is still its own; helpers that it started hold the pipe and go with it.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
    if content is None:
        raise Unavailable(
            f"reading a secret: {what} did not end within {COMMAND_TIMEOUT:.0f} s",
            "run it by hand and see what it waits for",
        )
    if code:
        raise Unavailable(
            f"reading a secret: {what} failed with exit code {code}", "run it by hand as the user of rotator to see why"
        )
    return content


def _drain(pipe: IO[bytes], deadline: float) -> bytes | None:
    """What comes out of `pipe` until its end or a little more than `LARGEST` bytes; None at the deadline."""
    content = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while len(content) <= LARGEST:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                return None
            piece = os.read(pipe.fileno(), LARGEST)
            if not piece:
                break
            content += piece
    return content


def one_line(content: bytes, what: str) -> Secret:
    """Return the secret that stands in some bytes; `what` names their place in errors.

    Raises:
        ConfigError: it is empty, too long, no text, or not one line of printable characters without spaces.
    """
    if len(content) > LARGEST:
        raise ConfigError(f"reading a secret: {what} is longer than {LARGEST} bytes", "a secret is one short line")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"reading a secret: {what} is not text", "a secret is one line of UTF-8 text") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise ConfigError(f"reading a secret: {what} is empty", "put the secret there")
    if " " in text or not text.isprintable():  # of all white space only the blank counts as printable
        wrong, remedy = _misshapen(text)
        raise ConfigError(f"reading a secret: {what} {wrong}", remedy)
    return Secret(text)


_VARIABLE: Final = re.compile(r"\s*(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*[:=]\s*\S.*")
_HEADER: Final = re.compile(r"\s*(?:[A-Za-z-]+:\s*)?(?:bearer|basic|token)\s+\S+\s*", re.IGNORECASE)


def _misshapen(text: str) -> tuple[str, str]:
    """What a text with white space inside looks like, and what to do; nothing of it is quoted."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > 1:
        if all(_VARIABLE.fullmatch(line) or line.lstrip().startswith("#") for line in lines):
            return "is a whole file of variables", "keep the value alone, or name the variable: {env: NAME}"
        return "has several lines", "keep the one line that is the secret"
    line = lines[0] if lines else ""
    if _HEADER.fullmatch(line):
        return "is a whole header (`Bearer` and the secret)", "keep only what stands after the blank"
    if _VARIABLE.fullmatch(line):
        return "is a line `NAME=value`", "keep only what stands after the sign, without quotes"
    if line and line.strip() == line.replace(" ", "") and line.strip().isprintable():
        return "has blanks or empty lines around the secret", "remove them: a secret is one line without spaces"
    return "contains spaces, line ends or control characters inside", "a secret is one line without spaces"
