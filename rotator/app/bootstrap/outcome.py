"""What a bootstrap ends with: the tokens of the connection, in words and as a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rotator.app.bootstrap.setting import Setting
from rotator.app.checks import check, missing_standby
from rotator.core.findings import Finding
from rotator.core.instants import rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One of the two tokens as it stands now.

    Attributes:
        role: `management` or `standby`.
        id: its id; None for one that was not made (a dry run).
        name: at Cloudflare.
        expires_at: unix seconds, `NEVER`, or None where that is not known.
        path: its file.
        kept: whether it stood there before.
    """

    role: str
    id: str | None
    name: str
    expires_at: float | None
    path: Path
    kept: bool = False

    def document(self) -> dict[str, Any]:
        """Return it for `-o json`."""
        return {
            "role": self.role,
            "id": self.id,
            "name": self.name,
            "expires_on": None if self.expires_at is None else rfc3339(self.expires_at),
            "written_to": str(self.path),
            "kept": self.kept,
        }


def findings(setting: Setting, standing: Sequence[Standing]) -> list[Finding]:
    """Run `check`, and add what it does not say: that there is no standby."""
    found = check(setting.config.path)
    if {one.role for one in standing} == {"management"} and not any(f.code == "standby_missing" for f in found):
        found.append(missing_standby(setting.name))
    return found
