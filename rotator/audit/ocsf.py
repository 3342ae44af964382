"""The same facts as events of the Open Cybersecurity Schema Framework: class Entity Management, uid 3004.

Pure. A credential is the managed entity: it is made, updated, disabled and deleted, and it is no account of a person
(https://schema.ocsf.io/1.5.0/classes/entity_management). What the class has no place for, the chain of the export
above all, stands in `unmapped`, the last key.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from rotator import __version__
from rotator.audit.lines import UNMAPPED, Object
from rotator.audit.plain import Checkpoint, Entry, attested, bounded
from rotator.core.facts import Kind

VERSION: Final = "1.5.0"
CATEGORY: Final = 3
CLASS: Final = 3004
OTHER: Final = 99


class Activity(IntEnum):
    """What was done to an entity: `activity_id` of the class."""

    CREATE = 1
    READ = 2
    UPDATE = 3
    DELETE = 4
    ENROLL = 6
    UNENROLL = 7
    DISABLE = 9
    SUSPEND = 12
    RESUME = 13


class Severity(IntEnum):
    """`severity_id`, as far as a fact has one."""

    INFORMATIONAL = 1
    MEDIUM = 3
    HIGH = 4


_ACTIVITIES: Final[Mapping[Activity, tuple[Kind, ...]]] = {
    Activity.CREATE: (Kind.INTENT, Kind.CAPTURED),
    Activity.READ: (
        *(Kind.VERIFIED, Kind.READ_BACK, Kind.BASELINE, Kind.SEEN, Kind.KNOWN, Kind.COMPARED, Kind.HELD, Kind.AHEAD),
        *(Kind.MEMBER, Kind.OVERRIDDEN, Kind.OVERRIDE_ENDED, Kind.ACK),
    ),
    Activity.UPDATE: (
        *(Kind.PUBLISH_INTENT, Kind.WRITTEN, Kind.CONFIRMED, Kind.EXTENDED, Kind.UPDATING, Kind.UPDATED, Kind.KEPT),
        *(Kind.EXTENDING, Kind.PROLONGED, Kind.ROLLING, Kind.PLACED, Kind.CONFIGURED),
    ),
    Activity.DELETE: (Kind.DELETED,),
    Activity.ENROLL: (Kind.ADOPTED,),
    Activity.UNENROLL: (Kind.FORGOTTEN,),
    Activity.DISABLE: (Kind.DISABLED,),
    Activity.SUSPEND: (Kind.PAUSED,),
    Activity.RESUME: (Kind.RESUMED,),
}
_BY_KIND: Final = {kind.value: activity for activity, kinds in _ACTIVITIES.items() for kind in kinds}
"""Kinds of facts that are none of these are `Other`, which the schema has for that; the kind names it."""

_FAILURES: Final = frozenset({Kind.FAILED.value, Kind.ABANDONED.value, Kind.UNWRITTEN.value, Kind.UNKEPT.value})
_SEVERITIES: Final = {
    **dict.fromkeys(_FAILURES, Severity.MEDIUM),
    Kind.OVERRIDDEN.value: Severity.MEDIUM,
    Kind.DISPLACED.value: Severity.MEDIUM,
    Kind.REVOKED.value: Severity.HIGH,
}


def fact(entry: Entry) -> Object:
    """Return a fact as an event."""
    told = entry.document
    kind, credential = str(told["kind"]), str(told["credential"])
    detail = bounded(told["detail"])
    event = _event(kind, _BY_KIND.get(kind), entry.at, _SEVERITIES.get(kind, Severity.INFORMATIONAL))
    event["message"] = f"{kind} of {credential}"
    failed = kind in _FAILURES
    event |= {"status_id": 2, "status": "Failure"} if failed else {"status_id": 1, "status": "Success"}
    event["metadata"] |= {"uid": entry.fact_id, "sequence": entry.position}
    if told["rotation"]:
        event["metadata"]["correlation_uid"] = told["rotation"]
    event["actor"] = {"app_name": "rotator"} if told["actor"] == "daemon" else {"user": {"name": str(told["actor"])}}
    event["entity"] = {"name": credential, "uid": entry.stream, "type": "Credential", "type_id": OTHER}
    if isinstance(reason := detail.get("reason"), str) and reason:
        event["comment"] = reason
    event[UNMAPPED] = {
        "detail": detail,
        "kind": kind,
        "epoch": told["epoch"],
        "stream": entry.stream,
        "position": entry.position,
        "fact_id": entry.fact_id,
        "instance": entry.instance,
        "rotator": __version__,
    }
    return event


def checkpoint(told: Checkpoint) -> Object:
    """Return a checkpoint as an event about the export itself."""
    event = _event("checkpoint", None, told.at, Severity.INFORMATIONAL)
    event["message"] = f"checkpoint of the audit export {told.sink}"
    event |= {"status_id": 1, "status": "Success"}
    event["actor"] = {"app_name": "rotator"}
    event["entity"] = {"name": told.sink, "uid": told.instance, "type": "Audit export", "type_id": OTHER}
    event[UNMAPPED] = attested(told)
    return event


def _event(kind: str, activity: Activity | None, at: float, severity: Severity) -> Object:
    number = OTHER if activity is None else activity.value
    name = kind if activity is None else activity.name.capitalize()
    return {
        "metadata": {
            "version": VERSION,
            "product": {"name": "rotator", "vendor_name": "rotator", "version": __version__},
            "log_name": "audit",
            "event_code": kind,
        },
        "time": int(at * 1000),
        "category_uid": CATEGORY,
        "category_name": "Identity & Access Management",
        "class_uid": CLASS,
        "class_name": "Entity Management",
        "activity_id": number,
        "activity_name": name,
        "type_uid": CLASS * 100 + number,
        "type_name": f"Entity Management: {name if activity is not None else 'Other'}",
        "severity_id": severity.value,
        "severity": severity.name.capitalize(),
    }
