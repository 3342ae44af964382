"""Maintenance windows, freezes and groups: their stanzas, and what they mean for one credential.

Times of day and dates without an offset are those of a wall clock in a named zone. Where such a moment does not exist,
or exists twice, because a clock is set, a freeze takes the longer way: it begins at the first and ends at the last.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from fnmatch import fnmatchcase
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from rotator.config.fields import PositiveDuration, Stanza, Text, as_written, wrong
from rotator.core.calendar import ALWAYS, EVERY_DAY, MIDNIGHT, Freeze, Group, Hours, Window

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _zone(value: str) -> str:
    if value != "UTC":
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise wrong(
                "this is no time zone that this machine knows",
                "expected a name of the IANA database",
                "write for example Europe/Berlin, or UTC; `tzdata` installs the database",
            ) from None
    return value


Zone = Annotated[Text, AfterValidator(_zone)]


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its name."""
    return UTC if name == "UTC" else zoneinfo.ZoneInfo(name)


def _minutes(value: object) -> int:
    text = as_written(value)
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", text, re.ASCII) if isinstance(text, str) else None
    minutes = int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else MIDNIGHT + 1
    if minutes > MIDNIGHT:
        raise wrong("this is not a time of day", "expected HH:MM, at most 24:00", 'write for example "22:00"')
    return minutes


TimeOfDay = Annotated[
    int,
    BeforeValidator(_minutes),
    PlainSerializer(lambda minutes: f"{minutes // 60:02}:{minutes % 60:02}", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^[0-2]?[0-9]:[0-5][0-9]$"}),
]


class WindowStanza(Stanza):
    """Hours of the week in which a rotation may begin; it may cross midnight."""

    days: Annotated[tuple[Day, ...], Field(min_length=1)] = Field(
        DAYS, description="Days on which it begins; default: all."
    )
    start: TimeOfDay = Field(alias="from", description='When it begins, "22:00".')
    end: TimeOfDay = Field(alias="to", description='When it ends, "05:00"; "24:00" is the end of the day.')
    zone: Zone = Field("UTC", description="The wall clock that counts, e.g. Europe/Berlin.")

    @model_validator(mode="after")
    def _some_time(self) -> WindowStanza:
        if self.start == self.end:
            raise wrong("the window begins when it ends", "expected some time between", 'write "00:00" and "24:00"')
        return self

    @property
    def window(self) -> Window:
        """What it means."""
        days = frozenset(DAYS.index(day) for day in self.days)
        return Window(
            days=days or EVERY_DAY, start=self.start, end=self.end, zone=zone_of(self.zone), zone_name=self.zone
        )


class GroupStanza(Stanza):
    """Credentials of which two are never rotated at once."""

    min_gap: PositiveDuration | None = Field(
        None,
        description="Time between the rotation of one of them and the beginning of the next; a rotation that somebody "
        "asks for does not wait for it.",
    )


def _moment(value: object) -> datetime:
    text = as_written(value)
    try:
        if isinstance(text, str) and re.match(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise wrong(
        "this is no moment",
        "expected a date and time as RFC 3339 has it",
        'write for example "2026-12-20T18:00:00Z", or without an offset beside `zone`',
    )


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "description": "2026-12-20T18:00:00Z; without an offset, as `zone` has it."}),
]


class FreezeStanza(Stanza):
    """A time in which no rotation begins."""

    start: Moment = Field(alias="from", description="When it begins.")
    end: Moment = Field(alias="to", description="When it is over.")
    zone: Zone = Field("UTC", description="The wall clock of moments that have no offset.")
    reason: Text | None = Field(None, description="Shown to people.")
    credentials: tuple[Text, ...] | None = Field(None, description="Names or globs; default: all.")

    @model_validator(mode="after")
    def _some_time(self) -> FreezeStanza:
        if self.freeze.since >= self.freeze.until:
            raise wrong("the freeze ends before it begins", "expected `from` before `to`", "exchange them")
        return self

    @property
    def freeze(self) -> Freeze:
        """What it means."""
        return Freeze(since=min(self._at(self.start)), until=max(self._at(self.end)), reason=self.reason or "")

    def _at(self, moment: datetime) -> tuple[float, ...]:
        """The moment, or both where the clock shows it twice or not at all."""
        if moment.tzinfo is not None:
            return (moment.timestamp(),)
        zone = zone_of(self.zone)
        return tuple(moment.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))

    def means(self, name: str) -> bool:
        """Whether it holds for a credential."""
        return self.credentials is None or any(fnmatchcase(name, glob) for glob in self.credentials)


@dataclass(frozen=True, slots=True)
class Calendar:
    """What the root of the configuration says of the calendar.

    Attributes:
        groups: by name.
        freezes: in the order of the file.
    """

    groups: Mapping[str, GroupStanza] = field(default_factory=dict)
    freezes: Sequence[FreezeStanza] = ()

    def hours(self, name: str, group: str | None, windows: Sequence[WindowStanza] | None) -> Hours:
        """Return what holds for one credential."""
        freezes = tuple(stanza.freeze for stanza in self.freezes if stanza.means(name))
        if not (freezes or group or windows):
            return ALWAYS
        found = self.groups.get(group) if group else None
        gap = found.min_gap if found else None
        return Hours(
            windows=tuple(stanza.window for stanza in windows or ()),
            freezes=freezes,
            group=Group(name=group, min_gap=gap or 0.0) if group else None,
        )


NONE: Final = Calendar()
