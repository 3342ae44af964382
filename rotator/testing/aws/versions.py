"""One secret of the strict double: its versions, its labels, and the rules that hold between them.

It knows neither HTTP nor the names of operations.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

CURRENT: Final = "AWSCURRENT"
PREVIOUS: Final = "AWSPREVIOUS"
LARGEST: Final = 65536
VERSIONS_A_DAY: Final = 100
LABELS_A_VERSION: Final = 20


class AwsError(Exception):
    """An error answer: its code and its text."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass
class Version:
    """One version of a secret."""

    text: str | None
    binary: str | None
    created: float
    labels: set[str] = field(default_factory=set)


@dataclass
class StoredSecret:
    """One secret; tests may set `rotation_enabled`, `owning_service` and `replicas`."""

    name: str
    arn: str
    versions: dict[str, Version] = field(default_factory=dict)
    deleted: float | None = None
    rotation_enabled: bool = False
    owning_service: str = ""
    replicas: list[dict[str, str]] = field(default_factory=list)
    tags: list[dict[str, str]] = field(default_factory=list)

    def holder(self, label: str) -> str | None:
        """The id of the version that wears the label."""
        return next((id_ for id_, version in self.versions.items() if label in version.labels), None)

    def add(self, asked: Mapping[str, Any], labels: list[str]) -> str:
        """Add a version; the same id with the same content is ignored, with other content an error."""
        text, binary = asked.get("SecretString"), asked.get("SecretBinary")
        if (text is None) == (binary is None):
            raise AwsError("InvalidParameterException", "You must provide either SecretString or SecretBinary.")
        if not 1 <= len((text or binary or "").encode()) <= LARGEST:
            raise AwsError("ValidationException", "Member must have length between 1 and 65536.")
        id_ = asked.get("ClientRequestToken") or str(uuid.uuid4())
        if not 32 <= len(id_) <= 64:
            raise AwsError("InvalidParameterException", "ClientRequestToken must be 32-64 characters long.")
        known = self.versions.get(id_)
        if known is not None:
            if (known.text, known.binary) != (text, binary):
                raise AwsError(
                    "ResourceExistsException",
                    "You can't use the same ClientRequestToken for a secret value that is different.",
                )
            return str(id_)
        young = sum(version.created > time.time() - 86400 for version in self.versions.values())
        if young >= VERSIONS_A_DAY:
            raise AwsError("LimitExceededException", "You have reached the quota of versions of this secret.")
        self.versions[id_] = Version(text, binary, time.time())
        for label in dict.fromkeys(labels):
            self.label(id_, label)
        return str(id_)

    def label(self, id_: str, label: str) -> None:
        """Attach a label that may be attached elsewhere; AWSPREVIOUS follows AWSCURRENT by itself."""
        if len(self.versions[id_].labels | {label}) > LABELS_A_VERSION:
            raise AwsError("LimitExceededException", "A version can have at most 20 staging labels.")
        holder = self.holder(label)
        if holder == id_:
            return
        if holder is not None:
            self.versions[holder].labels.discard(label)
        self.versions[id_].labels.add(label)
        if label == CURRENT and holder is not None:
            self.versions[id_].labels.discard(PREVIOUS)
            self.label(holder, PREVIOUS)
