"""From a value that is durable to a token in its place: accepted, fit, written, read back.

An attempt whose answer was lost is looked for by its name, which nobody else uses: what is found has a value that
nobody knows, and is deleted. Without the Global API Key nobody may do that, and it is left for a run that has it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from rotator.app.bootstrap.ledger import Attempt, Captured, Ledger
from rotator.app.bootstrap.outcome import Standing
from rotator.app.bootstrap.setting import Place, Setting
from rotator.core.drift import summary
from rotator.core.errors import ConfigError, Refused, Unavailable
from rotator.core.secret import Secret
from rotator.sources.cloudflare import accounts
from rotator.sources.cloudflare.authority import Authority
from rotator.sources.cloudflare.management import WRITE, WRITE_NAME, ManagementToken
from rotator.sources.cloudflare.policies import TokenPolicy

Tell: TypeAlias = Callable[[str], None]

PATIENCE: Final = 10.0
"""Seconds for which a value that a person gave is asked again: it may have been made a moment ago, or be wrong."""


class Settler:
    """Brings captured values into their places."""

    def __init__(
        self,
        setting: Setting,
        ledger: Ledger,
        places: Sequence[Place],
        tell: Tell,
        *,
        authority: Authority | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Remember everything; nothing is read.

        Args:
            setting: the connection.
            ledger: what is durable.
            places: both places as they were found.
            tell: takes what a person should know.
            authority: who may delete what is left over, where there is one.
            pause: waits so many seconds.
        """
        self._setting = setting
        self._ledger = ledger
        self._places = places
        self._tell = tell
        self._authority = authority
        self._pause = pause
        self.finished = False

    def resume(self, policies: tuple[TokenPolicy, ...], now: float) -> dict[str, Standing]:
        """Bring what earlier runs left to its end; return what was placed, by role.

        Args:
            policies: that a token which was made must have.
            now: provider time.

        Raises:
            RotatorError: it cannot be brought to its end now; it stays for the next run.
        """
        captured, open_ = self._ledger.left_over()
        done: dict[str, Standing] = {}
        free = {place.role: place for place in self._places if place.value is None}
        for one in captured:
            role = one.attempt.role
            if any(place.value == one.value for place in self._places if place.value is not None):
                self._ledger.close(one.attempt)  # it was written, and only this was left to do
                self.finished = True
            elif role in free and role not in done:
                self._tell(f"going on with the {role} token of an earlier run, which did not get to its place")
                standing = self.settle(one, free[role], policies if one.attempt.owner else None, done)
                if standing is not None:
                    done[role] = standing
            else:
                self._superfluous(one)
        for attempt in open_:
            self._look_for(attempt, now)
        return done

    def settle(
        self, one: Captured, place: Place, policies: tuple[TokenPolicy, ...] | None, done: Mapping[str, Standing]
    ) -> Standing | None:
        """Prove a captured token and put it into its place; None where it is dead, and then forgotten.

        Args:
            one: the value.
            place: where it goes.
            policies: that it must have, where we made it; None for one that a person made.
            done: what was placed in this run.

        Raises:
            Refused: it is not fit, and forgotten.
            RotatorError: not now; its value is kept for the next run.
        """
        found = self._accepted(one, made=policies is not None)
        if found is None:
            return None
        if policies is None:
            self._fit(one, found, done)
        elif self._authority is not None:
            self._as_asked(one, policies)
        put(place, one.value)
        self._ledger.close(one.attempt)
        name = str((found.shown or {}).get("name") or one.attempt.name)
        return Standing(role=place.role, id=found.id, name=name, expires_at=found.expires_at, path=place.path)

    def _accepted(self, one: Captured, *, made: bool) -> ManagementToken | None:
        """The token once it is accepted: a fresh one may be refused for a minute."""
        patience = self._setting.config.advanced.propagation if made else PATIENCE
        deadline, wait = time.monotonic() + patience, 0.5
        while True:
            found = self._setting.look(one.value)
            if found.id and (not made or found.id == one.token_id):
                return found
            if made and self._authority is not None and not self._alive(one):
                self._ledger.close(one.attempt)
                self._tell(f"the new {one.attempt.role} token is gone again")
                return None
            if time.monotonic() >= deadline:
                raise self._unaccepted(one, made=made)
            self._pause(min(wait, max(0.1, deadline - time.monotonic())))
            wait = min(wait * 2, 15.0)

    def _unaccepted(self, one: Captured, *, made: bool) -> Refused | Unavailable:
        if made:
            return Unavailable(
                f"the new {one.attempt.role} token is not accepted yet; its value is kept",
                "run the same command again in a few minutes: it goes on from there",
            )
        self._ledger.close(one.attempt)
        wrong = self._wrong_account(one.value)
        if wrong is not None:
            return Refused(f"Cloudflare does not accept the token that was given: {wrong.wrong}", wrong.remedy)
        return Refused(
            "Cloudflare does not accept the token that was given",
            "copy its whole value once more; if the dashboard does not show it any more, `Roll` gives it a new one; "
            "a token of another account is refused, too: compare account_id",
        )

    def _wrong_account(self, value: Secret) -> accounts.Account | None:
        """What the configured account id really is, where it is none: a token of an account is refused then, too."""
        account_id = self._setting.options.account_id
        if account_id is None:
            return None
        connection = self._setting.connection(value)
        try:
            told = accounts.tell(connection, ManagementToken(role="management"), account_id)
        finally:
            connection.close()
        if told.reached is not False:
            return None
        return replace(told, wrong=f"account_id {account_id} is no account that can be used: {told.wrong}")

    def _alive(self, one: Captured) -> bool:
        attempt, authority = one.attempt, self._authority
        return authority is None or authority.alive(attempt.owner, attempt.account_id, one.token_id)

    def _as_asked(self, one: Captured, policies: tuple[TokenPolicy, ...]) -> None:
        """What Cloudflare left out without a word is named, and the token deleted: nobody has used it."""
        attempt, authority = one.attempt, self._authority
        differs = authority.differs(attempt.owner, attempt.account_id, one.token_id, policies) if authority else ()
        if differs and authority is not None:
            authority.delete(attempt.owner, attempt.account_id, one.token_id)
            self._ledger.close(attempt)
            raise Refused(
                f"Cloudflare made the {attempt.role} token otherwise than it was asked to: {summary(differs)}; "
                "it was deleted again",
                f"`rotator permissions --compare {self._setting.name}` shows what changed at Cloudflare; "
                "--with dashboard shows the form",
            )

    def _fit(self, one: Captured, found: ManagementToken, done: Mapping[str, Standing]) -> None:
        """Whether a token that a person made can manage what it is for."""
        if (trouble := unfit(self._setting, found)) is not None:
            self._ledger.close(one.attempt)
            raise trouble
        others = [place for place in self._places if place.value is not None and place.role != one.attempt.role]
        known = {standing.id for standing in done.values()} | {
            self._setting.look(p.value).id for p in others if p.value
        }
        if found.id in known:
            self._ledger.close(one.attempt)
            raise Refused(
                "what was given is the connection's other token", "make a second one: each is renewed by the other"
            )

    def _superfluous(self, one: Captured) -> None:
        """A value whose place another token has taken: what we made is deleted, what a person made is theirs."""
        attempt = one.attempt
        if attempt.owner and self._authority is None:
            self._tell(
                f"warning: the token {attempt.name!r} ({one.token_id}) of an earlier run is not needed; "
                "delete it in the dashboard"
            )
            return
        if attempt.owner and self._authority is not None:
            self._authority.delete(attempt.owner, attempt.account_id, one.token_id)
            self._tell(f"the token {attempt.name!r} of an earlier run is not needed, and was deleted")
        self._ledger.close(attempt)

    def _look_for(self, attempt: Attempt, now: float) -> None:
        """Delete what became of an attempt without an answer; forget it once nothing can come of it any more."""
        if not attempt.owner:  # a person's paste that did not come to us
            self._ledger.close(attempt)
            return
        if self._authority is None:
            self._tell(
                f"warning: an earlier run may have made a token {attempt.name!r} whose value is lost; "
                "delete it in the dashboard, or let `--with global-key` do it"
            )
            return
        found = self._authority.named(attempt.owner, attempt.account_id, attempt.name)
        for state in found:
            self._authority.delete(attempt.owner, attempt.account_id, state.id)
            self._tell(f"the token {attempt.name!r} of an earlier run, whose value was lost, was deleted")
        if now - attempt.at > self._setting.config.advanced.settle:  # a late request has been done by now
            self._ledger.close(attempt)


def unfit(setting: Setting, found: ManagementToken) -> Refused | None:
    """Return why a living token cannot be the management token of a connection, None where it can."""
    owners = {str(c.owner) for c in setting.credentials} or {found.owner}
    if "user" in owners and found.owner == "account":
        return Refused(
            "the token that was given is owned by an account and can never manage tokens of a user",
            f"make it in My Profile, API Tokens, with {WRITE_NAME['user']}",
        )
    held = found.groups or frozenset()
    missing = [WRITE_NAME[owner] for owner in sorted(owners) if WRITE[owner] not in held]
    if not missing:
        return None
    seen = "may not create tokens" if found.groups is not None else "may not even read itself, so it manages no tokens"
    return Refused(
        f"the token that was given {seen}: it lacks {' and '.join(missing)}",
        "edit it in the dashboard and add that, or make one by `Create Additional Tokens`; a token cannot give itself "
        "that right, and no token can make another that has it",
    )


def put(place: Place, value: Secret) -> None:
    """Write a value into its place, and read it back as the daemon will.

    Raises:
        Conflict, Refused, Unavailable, OutcomeUnknown: as the file's writer.
        ConfigError: what is read back is not what was written.
    """
    place.file.write(value, place.before)
    if place.ref.read() != value:
        raise ConfigError(f"{place.path} holds something else than what was written", "run the same command again")
