"""Why something waits, and what only a person can decide: two closed lists.

The value of a member is its word in JSON, metrics, notes and logs and never changes its meaning; `text` and `remedy`
are for people. Whatever shows a reason renders it from here, and nothing decides on a text.
"""

from __future__ import annotations

from enum import Enum, StrEnum, auto
from typing import Final, Self


class Effect(Enum):
    """What a wait means for what is due."""

    GOES_ON = auto()
    """Work is open and continues without help."""
    RESTS = auto()
    """Nothing is left undone: a due date, or what only a person or an hour ends."""
    BLOCKS = auto()
    """It keeps what is due from beginning, so that no fact will ever say that it fails."""


_GOES_ON, _RESTS, _BLOCKS = Effect.GOES_ON, Effect.RESTS, Effect.BLOCKS


class Reason(StrEnum):
    """Why an obligation waits.

    Attributes:
        effect: what that means for what is due.
        text: what people read.
        remedy: what to do, or empty where it ends without help.
    """

    effect: Effect
    text: str
    remedy: str

    def __new__(cls, word: str, effect: Effect, text: str, remedy: str = "") -> Self:
        """Make a member out of its word and what is said of it."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.effect, member.text, member.remedy = effect, text, remedy
        return member

    # nothing is open
    FRESH = "fresh", _RESTS, "the value is fresh"
    DRIFT = "drift", _GOES_ON, "a target was healed a moment ago and has drifted again"
    OUT_OF_SYNC = (
        "out_of_sync",
        _GOES_ON,
        "a target does not hold the current value, or nobody knows what stands there",
    )
    PACING = "pacing", _RESTS, "many credentials are due at once; the soonest expiry goes first"
    CLOCK_SUSPECT = (
        "clock_suspect",
        _RESTS,
        "this machine's clock and the provider's disagree",
        "correct this machine's clock; `rotator check` compares them",
    )
    WINDOW = "window", _RESTS, "its maintenance windows are closed"
    FREEZE = "freeze", _RESTS, "a freeze lasts"
    GROUP = "group", _RESTS, "another credential of its group is being rotated"
    GROUP_GAP = "group_gap", _RESTS, "another credential of its group was rotated a while ago"
    HOOK = (
        "hook",
        _GOES_ON,
        "what follows a publication failed and is tried again",
        "`rotator status NAME` says which hook failed and why",
    )
    WATCH = "watch", _RESTS, "everything was looked at a moment ago"
    DOUBT = "doubt", _GOES_ON, "something gave no clear answer and is looked at again soon"
    # a rotation
    SETTLE = "settle", _GOES_ON, "a request may still be under way"
    PROPAGATION = "propagation", _GOES_ON, "the provider does not accept the new value yet"
    VERIFICATION = "verification", _GOES_ON, "a value is being verified"
    JOURNAL_UNSAFE = (
        "journal_unsafe",
        _BLOCKS,
        "the journal cannot hold a new value now",
        "look for a full disk, a moved state folder or a changed key file",
    )
    TARGET_UNWRITABLE = (
        "target_unwritable",
        _BLOCKS,
        "a target cannot be written",
        "`rotator check` tries every target and says what is in the way",
    )
    FAILED = "failed", _GOES_ON, "the last try failed and is repeated"
    UNDECIDED = "undecided", _GOES_ON, "no rule answered"
    STAGGERED = "staggered", _RESTS, "its partner was renewed a moment ago, or is being renewed"
    # a retirement
    SUCCESSOR_FIRST = "successor_first", _GOES_ON, "its successor is published first, for a minute at most"
    GRACE = "grace", _GOES_ON, "consumers get time to take the new value"
    STILL_USED = (
        "still_used",
        _GOES_ON,
        "somebody still uses the old token",
        "find the consumer that has not read the new value",
    )
    PROVIDER_SILENT = (
        "provider_silent",
        _GOES_ON,
        "the provider gives no usable answer, so nobody knows about the old token",
        "`rotator check` says what is wrong with the connection",
    )
    STILL_PUBLISHED = "still_published", _GOES_ON, "a target still holds the old value, or cannot be read"
    TARGETS_NOT_IN_SYNC = "targets_not_in_sync", _GOES_ON, "a required target does not hold the current value"
    UNACKNOWLEDGED = (
        "unacknowledged",
        _GOES_ON,
        "nothing shows that the new value is used: a target cannot be read, or its value is pasted elsewhere",
        "`rotator ack NAME --target TARGET --generation N` says so; or set `rotation.quiet` above 0",
    )
    SOAK = "soak", _GOES_ON, "the disabled token is kept for a while"
    # any of them
    PAUSED = "paused", _RESTS, "an operator has paused it", "`rotator resume NAME`"
    RESTORED_JOURNAL = (
        "restored_journal",
        _RESTS,
        "the journal was lost or restored, and nobody has confirmed it yet",
        "check `rotator status`, then `rotator resolve NAME --retry`",
    )

    @classmethod
    def of(cls, word: object) -> Self | None:
        """Return the member with that word; None for one that this version does not know."""
        return next((member for member in cls if member == word), None)

    @property
    def blocks(self) -> bool:
        """Whether it keeps what is due from beginning."""
        return self.effect is Effect.BLOCKS


RETIREMENT_WAITS: Final = frozenset(
    {
        *(Reason.GRACE, Reason.STILL_USED, Reason.STILL_PUBLISHED, Reason.TARGETS_NOT_IN_SYNC, Reason.SOAK),
        *(Reason.UNACKNOWLEDGED, Reason.PROVIDER_SILENT, Reason.SUCCESSOR_FIRST),
        *(Reason.PAUSED, Reason.RESTORED_JOURNAL, Reason.FAILED),
    }
)
"""Closed list of what is shown as blocking a retirement."""


class OperatorCode(StrEnum):
    """What only a person can decide.

    Attributes:
        text: what people read; `{subject}` stands for the target, `{count}` for a number of tokens.
        remedy: what to do.
        blocks: whether the credential gets no fresh value until somebody has decided.
    """

    text: str
    remedy: str
    blocks: bool

    def __new__(cls, word: str, text: str, remedy: str, blocks: bool = True) -> Self:
        """Make a member out of its word and what is said of it."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.text, member.remedy, member.blocks = text, remedy, blocks
        return member

    TARGET_OCCUPIED = (
        "target_occupied",
        "a value that is not ours stands at {subject}",
        "look at what stands at the target; `rotator resolve NAME --retry` overwrites it, `--accept` keeps it",
    )
    TARGET_OVERRIDDEN = (
        "target_overridden",
        "somebody else changed the managed key at {subject}",
        "somebody changed a managed key; `rotator resolve NAME --retry` restores ours, `--accept` keeps theirs",
    )
    REJECTED = (
        "rejected",
        "{count} minted tokens were turned down in a row",
        "minted tokens are not what was asked for; check grants and permissions, then `rotator resolve NAME --retry`",
    )
    MANAGEMENT_TOKEN = (
        "management_token",
        "the management token cannot do this",
        "give the connection a management token that the provider accepts, and that is not the token to be ended",
    )
    MASS_DEATH = (
        "mass_death",
        "so many tokens of the connection died at once that the answers are not believed",
        "check the provider's status and the management token; nothing is replaced until tokens answer again",
    )
    EXPOSED_AGAIN = (
        "exposed_again",
        "a value of it was found in public twice within a day: a target itself may be the leak",
        "find where the value gets out; then `rotator resolve NAME --retry` makes and publishes the next one",
    )
    NEWER_VERSION = (
        "newer_version",
        "a newer version of rotator wrote `{subject}` into its journal, which this one does not know",
        "run the newer version of rotator again; this one leaves the credential alone",
    )
    RESTORED_JOURNAL = (
        "restored_journal",
        "something outside is ahead of the journal: it was lost or restored",
        "the journal is older than what stands outside; check `rotator status`, then `rotator resolve NAME --retry`",
        False,
    )

    @classmethod
    def of(cls, word: object) -> Self | None:
        """Return the member with that word; None for one that this version does not know."""
        return next((member for member in cls if member == word), None)

    def say(self, *, subject: str = "", count: int = 0) -> str:
        """Return the text for people."""
        return self.text.format(subject=subject, count=count)


class KeepCode(StrEnum):
    """What only a person can do for a pair of tokens that keep each other alive.

    Attributes:
        text: what people read; `{subject}` stands for the role of the token, `{login}` for the token in words.
        remedy: what to do.
    """

    text: str
    remedy: str

    def __new__(cls, word: str, text: str, remedy: str) -> Self:
        """Make a member out of its word and what is said of it."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.text, member.remedy = text, remedy
        return member

    MEMBER_DEAD = (
        "member_dead",
        "{login} is not accepted by the provider, and its partner cannot bring it back",
        "make another one and put it into the same place; `rotator bootstrap` does it where it may",
    )
    MEMBER_UNABLE = (
        "member_unable",
        "{login} may not manage tokens, so it cannot keep its partner alive",
        "give it that permission, or put a token there that has it",
    )
    MEMBER_OCCUPIED = (
        "member_occupied",
        "in the place of {login} stands a value that is not ours and that the provider does not accept",
        "put a living token there, or empty the place; nothing is written over it",
    )
    MEMBER_BY_HAND = (
        "member_by_hand",
        "the value of {login} is due for renewal and its place cannot be written here",
        "roll it in the dashboard and put the new value into its place",
    )
    MEMBER_ALONE = (
        "member_alone",
        "{login} has no partner that could keep it alive",
        "add a second one as `standby_token`; `rotator bootstrap` makes it where it may",
    )

    @classmethod
    def of(cls, word: object) -> Self | None:
        """Return the member with that word; None for one that this version does not know."""
        return next((member for member in cls if member == word), None)
