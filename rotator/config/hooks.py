"""`after_publish`: what is done on this machine after a target holds a new value. None of it is ever told a value."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from rotator.config.fields import ConfigPath, PositiveDuration, Stanza, Text, wrong
from rotator.config.secret_ref import program

LONGEST: Final = 600.0
"""Seconds; while a hook runs, nothing else is done for its credential."""

Signal = Literal["HUP", "INT", "USR1", "USR2", "TERM", "WINCH"]

_INSTEAD: Final = "write {touch: PATH}, {signal: {pid_file: PATH, signal: HUP}} or {command: [PROGRAM, …]}"


class SignalStanza(Stanza):
    """A signal to a process that wrote its number to a file."""

    pid_file: ConfigPath
    signal: Signal = "HUP"


class HookStanza(Stanza):
    """One of `touch`, `signal` and `command`."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["touch"]}, {"required": ["signal"]}, {"required": ["command"]}],
            "dependentRequired": {"timeout": ["command"]},
        }
    )
    touch: ConfigPath | None = Field(None, description="A file that exists; its time of change becomes now.")
    signal: SignalStanza | None = Field(None, description="A signal to the process whose number stands in a file.")
    command: Annotated[list[Text], Field(min_length=1), AfterValidator(program)] | None = Field(
        None, description="Program and arguments, without a shell; never a value. Its output goes nowhere."
    )
    timeout: PositiveDuration | None = Field(
        None, description="Of a command; then it is ended. Default 30s, at most 10m."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> HookStanza:
        said = [key for key in ("touch", "signal", "command") if getattr(self, key) is not None]
        if len(said) != 1:
            raise wrong("a hook does one thing", "expected exactly one of touch, signal and command", _INSTEAD)
        if self.timeout is not None and self.command is None:
            raise wrong("only a command has a timeout", "expected none", "remove `timeout`")
        if self.timeout is not None and self.timeout > LONGEST:
            raise wrong("the timeout is too long", "expected at most 10m", "let the command start what takes longer")
        return self

    @property
    def said(self) -> str:
        """What people call it; arguments of a command are left out."""
        if self.touch is not None:
            return f"touch {self.touch}"
        if self.signal is not None:
            return f"signal {self.signal.signal} to the process of {self.signal.pid_file}"
        return f"command {self.command[0] if self.command else ''}"
