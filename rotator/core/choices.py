"""What an operator may choose: for each code of `needs_operator`, with what that would do.

The terminal and the page show the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rotator.core.facts import How as How
from rotator.core.reasons import OperatorCode


@dataclass(frozen=True, slots=True)
class Choices:
    """What each choice does; None where it does not apply."""

    retry: str
    accept: str | None
    abandon: str

    def of(self, how: How) -> str | None:
        """Return the text of one choice, None where it does not apply."""
        return {How.RETRY: self.retry, How.ACCEPT: self.accept, How.ABANDON: self.abandon}.get(how)


_KEEP: Final = "closes the open rotation; what is published stays, a token minted and never published is retired"

_ADOPTED: Final = (
    "where its token is the one that the credential names in `adopt`, it becomes the current one and goes to the other"
    " targets; any other is left alone until it changes, the target is not in sync meanwhile, and `--undo` takes it"
    " back"
)

CHOICES: Final[Mapping[OperatorCode, Choices]] = {
    OperatorCode.TARGET_OCCUPIED: Choices(
        "overwrites what stands there with our value; what stood there is not kept",
        f"keeps what stands there: {_ADOPTED}",
        _KEEP + "; the target is looked at again and asks again while the foreign value stands",
    ),
    OperatorCode.TARGET_OVERRIDDEN: Choices(
        "restores our value over what somebody else wrote there",
        f"keeps what somebody else wrote: {_ADOPTED}",
        _KEEP + "; the target is looked at again and asks again while the foreign value stands",
    ),
    OperatorCode.REJECTED: Choices(
        "starts counting anew and mints again; correct grants or permissions first",
        None,
        _KEEP,
    ),
    OperatorCode.MANAGEMENT_TOKEN: Choices(
        "tries again at once, with the management token that the configuration names now",
        None,
        _KEEP,
    ),
    OperatorCode.MASS_DEATH: Choices(
        "looks again at once; values that are still dead are counted anew",
        None,
        _KEEP,
    ),
    OperatorCode.EXPOSED_AGAIN: Choices(
        "makes the next value and publishes it; find and close the leak first",
        None,
        _KEEP,
    ),
    OperatorCode.RESTORED_JOURNAL: Choices(
        "confirms that the journal is whole again: orphans may be swept, work goes on above what was seen outside",
        "the same as --retry, and a foreign value that stands at a target is left alone",
        _KEEP + "; the sweep is confirmed as well",
    ),
}
"""Every code has its choices but `newer_version`: then this version decides nothing."""

NO_CODE: Final = Choices(
    "forgets back-offs and turned-down tokens of the open rotation and tries again at once",
    None,
    _KEEP,
)
"""Where a rotation is open or failing without needing an operator."""
