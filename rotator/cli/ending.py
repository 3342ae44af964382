"""Following a revoke through the facts of a credential until its tokens are disabled, and saying how far it is.

Pure but for what is said: facts in, rows out. Times are provider time, unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from rotator.cli.names import Chosen
from rotator.cli.output import say
from rotator.core.facts import Deleted, Disabled, Fact, Kind, ReadBack, Written
from rotator.core.ids import NO_TOKEN, TokenId
from rotator.core.protocol.fold import fold
from rotator.core.protocol.view import View, blank
from rotator.core.reasons import Reason

if TYPE_CHECKING:
    from rotator.app import App
    from rotator.core.notes import Note
    from rotator.core.status import CredentialStatus

DISABLED: Final = "disabled"
DELETED: Final = "deleted"
PENDING: Final = "pending"


@dataclass(slots=True)
class Ending:
    """The revoke of one credential.

    Attributes:
        chosen: the credential.
        tokens: the tokens that it names.
        view: the fold of the facts so far.
        ended: token id -> when it was disabled, or deleted where it could not be.
        published: when its successor was last written to a target or read back there; None before.
        confirmed: whether its successor stands at every required target.
        said: the last line that was said.
    """

    chosen: Chosen
    tokens: tuple[TokenId, ...]
    view: View = field(default_factory=blank)
    ended: dict[TokenId, float] = field(default_factory=dict)
    published: float | None = None
    confirmed: bool = False
    said: str = ""

    def catch_up(self, app: App) -> None:
        """Take the facts that came since the last look."""
        for fact in app.writable.facts(self.chosen.stream, after=self.view.position):
            self.take(fact)

    def take(self, fact: Fact) -> None:
        """Take the next fact."""
        before, self.view = self.view, fold(self.view, fact)
        if isinstance(fact.what, Disabled | Deleted):
            self.ended.setdefault(fact.what.token_id, fact.at)
        began = self.began
        if began is None or self.confirmed:
            return
        cure = before.rotation is not None and before.rotation.token_id not in self.view.revoked
        if cure and isinstance(fact.what, Written | ReadBack):
            self.published = fact.at
        self.confirmed = cure and fact.kind is Kind.CONFIRMED

    @property
    def began(self) -> float | None:
        """When its tokens were first revoked; None where that fact has not come yet."""
        found = [self.view.revoked[token].at for token in self.tokens if token in self.view.revoked]
        return min(found, default=None)

    @property
    def over(self) -> bool:
        """Whether every token that it names is disabled."""
        return self.began is not None and all(token in self.ended for token in self.tokens)

    @property
    def successor(self) -> TokenId:
        """The token that stands for them now, as far as it was published; empty for none."""
        view, rotation = self.view, self.view.rotation
        if view.current and view.current not in view.revoked:
            return view.current
        if rotation is not None and rotation.published and rotation.token_id not in view.revoked:
            return rotation.token_id
        return NO_TOKEN

    def rows(self, status: CredentialStatus | None) -> list[dict[str, Any]]:
        """Return what `-o json` prints, a row for each token."""
        began, successor = self.began, self.successor
        published = self.published if successor else None
        return [
            {
                "credential": self.chosen.name,
                "token_id": token,
                "successor_token_id": successor or None,
                "published_after_seconds": _after(began, published),
                "disabled_after_seconds": _after(began, self.ended.get(token)),
                "state": self.state(token),
                "message": self.message(token, status),
            }
            for token in self.tokens
        ]

    def state(self, token: TokenId) -> str:
        """How far the end of a token is: the word of `-o json`."""
        if token not in self.ended:
            return PENDING
        retirement = self.view.retirements.get(token)
        return DISABLED if retirement is not None and retirement.step is Kind.DISABLED else DELETED

    def message(self, token: TokenId, status: CredentialStatus | None) -> str:
        """Return one sentence: whether the leaked value works any more, and what stands in its place."""
        began, ended = self.began, self.ended.get(token)
        after = _after(began, ended)
        if after is None:
            return f"not disabled yet: the leaked value still works{_why(status, token)}"
        gone = " and deleted" if self.state(token) == DELETED else ""
        return f"disabled {after:.1f} s after the revoke{gone}; {self._instead(status)}"

    def _instead(self, status: CredentialStatus | None) -> str:
        """What stands at the targets now."""
        word = next((self.view.revoked[t] for t in self.tokens if t in self.view.revoked), None)
        if word is not None and word.bare:
            return f"nothing succeeds it until `rotator resume {self.chosen.name}`"
        targets = status.targets if status else ()
        if not targets:
            return "it has no targets, so nothing succeeds it"
        if not self.successor:
            needs = status.needs_operator if status else None
            why = f": {needs.message}" if needs else ""
            return f"no successor is published yet{why}; `rotator status {self.chosen.name}` says how far it is"
        away = [target.name for target in targets if target.in_sync is False]
        if away:
            return f"its successor is published; {', '.join(away)} gets it as soon as it can be written"
        return "its successor stands at every target"

    def progress(self, status: CredentialStatus | None, note: Note | None) -> str:
        """Return how far it is, in one line for people."""
        if self.over:
            return f"{self.chosen.name}: {self.message(self.tokens[0], status)}"
        return f"{self.chosen.name}: {_stage(self.view, status)}{_waits(self.tokens, note)}"

    def tell(self, status: CredentialStatus | None, note: Note | None) -> None:
        """Say on standard error how far it is, when that changed."""
        now = self.progress(status, note)
        if now != self.said:
            self.said = now
            say(now)

    def patient(self, note: Note | None) -> bool:
        """Whether the end of a token only waits for its successor, which a minute ends."""
        waits = note.waits if note else {}
        return any((found := waits.get(token)) and found.why is Reason.SUCCESSOR_FIRST for token in self.tokens)


def _after(began: float | None, at: float | None) -> float | None:
    return None if began is None or at is None else round(max(0.0, at - began), 3)


def _stage(view: View, status: CredentialStatus | None) -> str:
    """What is being done for the successor."""
    rotation = view.rotation
    if rotation is None or rotation.token_id in view.revoked:
        return "revoked; its successor is about to be made"
    if rotation.step is not Kind.PUBLISHING:
        return f"revoked; its successor is being made ({rotation.step})"
    every = len(status.targets) if status else len(rotation.terms.targets)
    return f"revoked; its successor stands at {len(rotation.written)} of {every} target{'s' * (every != 1)}"


def _waits(tokens: tuple[TokenId, ...], note: Note | None) -> str:
    """What the end of the tokens waits for."""
    found = [waits for token in tokens if note and (waits := note.waits.get(token)) and waits.why]
    return f"; the old token: {found[0].text}" if found else ""


def _why(status: CredentialStatus | None, token: TokenId) -> str:
    """The last failure of its end, with what to do, where there is one."""
    if status is None:
        return ""
    retirement = next((one for one in status.retirements if one.token_id == token), None)
    if retirement is not None and retirement.problem is not None:
        remedy = f" (do: {retirement.problem.remedy})" if retirement.problem.remedy else ""
        return f" ({retirement.problem.message}){remedy}"
    return f" ({status.needs_operator.message})" if status.needs_operator else ""
