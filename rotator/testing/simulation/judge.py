"""The judge: laws checked with the world's own knowledge only, never with the daemon's opinion of itself.

recreate: never a lost or a dead published value, nothing live deleted, no orphan left. roll: every dead interval is
measured and healed. Where the world itself did something that no daemon can prevent (an operator's paste, a lost disk),
the law says so.
"""

from __future__ import annotations

from rotator.core.credential import NEVER, Strategy
from rotator.core.drift import OnDrift
from rotator.core.facts import Abandoned, Captured, Draft, Kind, Planned
from rotator.core.ids import CredentialId
from rotator.core.protocol.names import parse
from rotator.core.protocol.view import View
from rotator.core.schedule.due import Due
from rotator.testing.laws import Law
from rotator.testing.simulation.leaks import Leaks
from rotator.testing.simulation.provider import Tok
from rotator.testing.simulation.state import State
from rotator.testing.simulation.store import brought
from rotator.testing.simulation.timings import GRACE, PATIENCE, SOAK

STALE = 125.0
"""Seconds: a verification may be 60 s old at a write, and the network may keep the write for as long again."""


class Judge:
    """Judges one world."""

    def __init__(self, world: State, leaks: Leaks) -> None:
        self.world, self.leaks = world, leaks
        self.outage = 0.0
        self._captured: set[str] = set()
        self._spooled: list[tuple[float, str, Draft]] = []
        self._spoke: dict[str, float] = {}
        self._left_blind: dict[str, float] = {}
        self._dead_since: dict[tuple[str, CredentialId], float] = {}

    def _held(self, tok: Tok) -> list[tuple[str, CredentialId]]:
        return [
            (p.name, CredentialId(name))
            for p in self.world.places.values()
            for name, v in p.data.items()
            if v == tok.value
        ]

    def last_used(self, tok: Tok) -> float:
        """Consumers use what stands at targets all the time, unless they are idle ones: a nightly job."""
        now = self.world.hub.now
        busy = not self.world.scenario.idle and tok.status == "active" and self._held(tok)
        return now if busy else min(now, tok.used)

    def rolled(self, tok: Tok, sent: float) -> None:
        """A roll that comes late must not kill a value published meanwhile: the settle time is there for that.

        A process that was paused may still do it; that can only be detected and healed.
        """
        world = self.world
        if (
            any(world.faults.count[kind] for kind in ("stop", "stop_after", "kill", "kill_after", "duplicate"))
            or world.count["outsider"]
        ):
            return
        for place, name in self._held(tok):
            if not world.places[place].by.get(name) and world.places[place].since.get(name, -NEVER) > sent:
                world.bad(Law.LATE_ROLL, f"a roll sent {world.hub.now - sent:.0f} s ago killed what stands at {place}")

    def spooled(self, stream: CredentialId, draft: Draft) -> None:
        """A process was told that its copy of a value is safe."""
        self._spooled.append((self.world.hub.now, stream, draft))

    def restored(self) -> None:
        """An older journal was put back: it cannot know what was captured since."""
        self.leaks.restored()
        views = [self.world.view(name) for name in self.world.names]
        self._captured &= {n for view in views for n, state in view.attempts.items() if state == "captured"}

    def spoke(self, name: CredentialId) -> None:
        """A consumer said that it uses what a write-only target holds now."""
        self._spoke[name] = self.world.hub.now

    def sent(self, value: str) -> None:
        """We send a text to the provider: only what has the shape of its values, and never what somebody else saved."""
        if not (value[:1] == "v" and value[1:].isdigit()):
            self.world.bad(Law.SENT, f"{value!r} was sent to the provider, whose it cannot be")

    def fact(self, stream: CredentialId, draft: Draft) -> None:
        """Laws about facts."""
        self.leaks.planned(stream, draft)
        if isinstance(draft.what, Captured):
            self._captured.add(draft.what.attempt_name)
        dead = isinstance(draft.what, Planned) and draft.what.terms.why == Due.DEAD
        if dead and self.world.faults.count["spurious"] < 3:
            current = self.world.provider.tokens.get(self.world.view(stream).current)
            if (
                current
                and self.world.provider.live(current.value)
                and f"f{current.value}" == self.world.view(stream).fingerprint
            ):
                self.world.bad(Law.DOUBT, f"{current.id} was replaced as dead and lives")
        what = draft.what
        if isinstance(what, Abandoned) and not what.rejected and what.token_name in self._captured:
            self.world.bad(Law.ABANDONED, f"{what.token_name} was given up after its capture")
        if draft.kind is Kind.CONFIRMED:
            view = self.world.view(stream)
            rotation = view.rotation
            if rotation and rotation.strategy is Strategy.ROLL and rotation.fingerprint == rotation.before:
                self.world.bad(Law.OLD_ROLL, "confirmed with the value from before the roll")
            self._confirmed(stream, view)

    def _confirmed(self, name: CredentialId, view: View) -> None:
        """What is confirmed stands at every required target, whatever the target said; but for what people changed."""
        world = self.world
        if world.count["add"] or world.count["remove"]:
            return  # required of the terms, and of the configuration that this process read a moment ago
        for place in sorted(p for p, required in world.required.items() if required and p not in view.heeded):
            found = world.places[place]
            if found.by.get(name) != "op" and f"f{found.data.get(name)}" != view.fingerprint:
                world.bad(Law.CONFIRMED, f"{place} holds {found.data.get(name)}, and {view.fingerprint} is confirmed")

    def changed(self, place: str, name: CredentialId, old: str | None, new: str | None, writer: str | None) -> None:
        """A managed key changed."""
        world = self.world
        found, now = world.places[place], world.hub.now
        before, by = world.provider.of_value(old), found.by.get(name, "")
        after = world.provider.of_value(new)
        if before:
            if not (writer is None and by == "op") and before.status == "active":
                late = 0.0 if world.calm or world.scenario.idle else world.chance.choice([0.0, 50.0, 800.0])
                before.used = max(before.used, now + late)
            if found.kind == "blind":
                self._left_blind[before.id] = now
            if place in world.required:
                before.gone, before.gone_by = now, by
        if writer is not None and old != new and found.by.get(name) == "op":
            self._overwritten(place, name, old, before, new)
        theirs = writer is None or (after is not None and after.id in world.provider.foreign)  # put back by us
        found.by[name] = "op" if theirs else ""
        found.since[name] = now
        if writer is not None and new is not None and after is not None:
            self._written(place, name, old, before, new, after, by)
        self.check_dead(name)

    def _overwritten(
        self, place: str, name: CredentialId, old: str | None, before: Tok | None, new: str | None
    ) -> None:
        """We write over what a person saved: nothing, a placeholder, a value of ours, or by a person's leave.

        What an exchange displaced is put back within seconds.
        """
        world = self.world
        if world.places[place].kind == "blind":
            return  # nobody can see what is written over there
        foreign = old not in (None, "changeme") and (before is None or before.id in world.provider.foreign)

        def stayed() -> None:
            if world.places[place].data.get(name) == new:
                world.bad(Law.STRANGER, f"wrote over {old} at {place}, which is not ours")

        if foreign and not world.scenario.replace and (place, f"f{old}") not in world.allowed:
            world.hub.at(5.0, stayed)

    def _written(
        self, place: str, name: CredentialId, old: str | None, before: Tok | None, new: str, after: Tok, by: str
    ) -> None:
        """We wrote a value."""
        world = self.world
        stopped = any(world.faults.count[kind] for kind in ("stop", "stop_after"))
        if world.places[place].kind == "blind" and stopped:
            return  # a process that was paused sends late, and nothing is compared there: only an alarm can follow
        now, view = world.hub.now, world.view(name)
        foreign = world.provider.foreign
        if (
            by == "op"
            and world.places[place].kind != "blind"
            and before
            and before.id in foreign
            and (place, f"f{old}") not in view.allowed
            and not world.scenario.replace
        ):

            def undone() -> None:
                if world.places[place].data.get(name) == new and before.status == "active":
                    world.bad(Law.OVERRIDE, f"overwrote the operator's live value at {place}")

            world.hub.at(5.0, undone)
            return
        durable = f"f{new}" in view.values or any(
            v == new for records in world.store.spools.values() for _, _, v in records
        )
        if not durable and after.born > world.lost_at and after.id not in foreign:
            world.bad(Law.CAPTURE_FIRST, f"{after.id} stands at {place} before it is durable")
        if after.id in foreign or world.scenario.strategy is not Strategy.RECREATE:
            return
        if after.id in self.leaks.since:
            self.leaks.written(place, after)
        elif after.killed == "us":
            world.bad(Law.DEAD, f"wrote {after.id} at {place}, which we destroyed")
        elif after.killed == "expiry" and now - after.expires > 65:
            world.bad(Law.DEAD, f"wrote the expired {after.id} at {place}")
        elif after.status == "active" and after.accepted_at > now + 0.01:
            world.bad(Law.LAG, f"wrote {after.id} at {place} before the provider accepts it")
        elif not after.equal and after.changed == -NEVER:
            world.bad(Law.GRANTS, f"wrote {after.id} at {place} with wrong grants")
        elif now - after.verified > STALE and now > world.stopped_until + STALE:
            world.bad(Law.STALE, f"wrote {after.id} at {place} {now - after.verified:.0f} s after its verification")
        newer = (
            before is not None and before.status == "active" and before.accepted_at <= now and before.born > after.born
        )
        closed = world.count["resolved abandon"]  # an operator closed a rotation that had begun to publish
        if newer and before and by != "op" and before.id not in foreign and before.owner == name and not closed:
            world.bad(Law.REGRESS, f"{after.id} replaced the newer {before.id} at {place}")

    def minted(self) -> None:
        """We mint: the journal must have shown room at most 30 s ago."""
        world = self.world
        now = world.hub.now
        if world.store.full_until > now and now - world.full_since > 45 and now > world.stopped_until + 60:
            world.bad(Law.ROOM, f"minted {now - world.full_since:.0f} s after the disk was full")

    def updated(self, tok: Tok) -> None:
        """We change a token in place: one of ours, that is or was the published one."""
        if tok.id in self.world.provider.foreign:
            self.world.bad(Law.FOREIGN, f"update of {tok.name}, which is not ours")

    def destroyed(self, tok: Tok, act: str, seen: float) -> None:
        """We disable or delete a token; `seen` is when the daemon's knowledge was gathered."""
        world = self.world
        now = world.hub.now
        if tok.id in world.provider.foreign:
            world.bad(Law.FOREIGN, f"{act} of {tok.name}, which is not ours")
            return
        if tok.id in self.leaks.ever:
            self.leaks.ended(tok)
            return
        left = self._left_blind.get(tok.id)
        unseen = not world.scenario.can.last_use or not world.scenario.quiet
        if tok.status == "active" and left is not None and unseen and self._spoke.get(tok.owner, -NEVER) < left:
            world.bad(Law.WITNESS, f"{act} of {tok.id}, and nobody said that the write-only target's consumers left it")
        if tok.status == "active":
            self._was_published(tok, act, seen)
            opened = world.view(tok.owner).retirements.get(tok.id)
            pasted = tok.gone_by == "op" and not (world.lost_at < tok.gone and opened and opened.opened > tok.gone)
            if not pasted:
                if now - tok.gone < GRACE - 1:
                    world.bad(Law.GRACE, f"{act} of {tok.id} {now - tok.gone:.0f} s after it was last published")
                elif (
                    world.scenario.can.last_use
                    and not any(self._pasted_since(place, name, seen) for place, name in self._held(tok))
                    and now - self.last_used(tok) < world.scenario.quiet - 62
                    and tok.used - tok.gone > 1
                    and not (tok.gone == -NEVER and tok.used <= tok.verified)  # our own late verification, of no one's
                ):
                    world.bad(Law.QUIET, f"{act} of {tok.id} {now - self.last_used(tok):.0f} s after a use")
        marked = world.view(tok.owner).retirements.get(tok.id)
        ended = tok.disabled_at if world.scenario.can.disable else (marked.since if marked else NEVER)
        if act == "delete" and tok.killed in ("", "us") and now - ended < SOAK - 1:
            world.bad(Law.SOAK, f"deleted {tok.id} without soak")

    def _pasted_since(self, place: str, name: str, seen: float) -> bool:
        """Whether an operator pasted what stands there after the last look."""
        found = self.world.places[place]
        return found.by.get(name) == "op" and found.since[name] > seen - 35

    def _was_published(self, tok: Tok, act: str, seen: float) -> None:
        world = self.world
        now = world.hub.now
        for place, name in self._held(tok):
            found = world.places[place]
            if self._pasted_since(place, name, seen):
                continue
            left = world.past.get(place)
            if world.returned.get(place, -NEVER) > seen - 35:
                world.count["destroyed while its target came back"] += 1
                continue
            if place not in world.required:
                released = world.view(name).released.get(place, NEVER)
                forgotten = left is None or left < world.lost_at or place not in world.view(name).baselines
                if forgotten or now - released >= GRACE or found.by.get(name) == "op":
                    world.count["destroyed at a released target"] += 1
                    continue
            if not world.required.get(place) and now < found.down + 65:
                world.count["destroyed at an unreadable optional target"] += 1
                continue
            world.bad(Law.PUBLISHED, f"{act} of {tok.id} that stands at {place}")

    def expired(self, tok: Tok) -> None:
        """A token reached its end by itself."""
        world = self.world
        now = world.hub.now
        if tok.id in world.provider.foreign:
            return
        for place, name in self._held(tok):
            self.check_dead(name)
            found = world.places[place]
            excused = (
                place not in world.required
                or found.by.get(name) == "op"
                or now < world.excused_until
                or now < max(found.down, found.frozen) + PATIENCE
                or place in world.view(name).overridden
                or place in world.view(name).heeded
                or 0 <= world.lost_at > now - 900
                or name in world.awaiting
            )
            if not excused:
                world.bad(Law.EXPIRED, f"{tok.id} expired at {place}")

    def check_dead(self, name: CredentialId) -> None:
        """Measure how long each target holds a dead value."""
        world = self.world
        now = world.hub.now
        for place in world.required:
            key = (place, name)
            if world.provider.live(world.places[place].data.get(name)):
                self.outage = max(self.outage, now - self._dead_since.pop(key, now))
            else:
                self._dead_since.setdefault(key, now)

    def end(self) -> None:
        """After the quiet tail everything has come to rest."""
        for name in self.world.names:
            self._end_of(name)

    def _end_of(self, name: CredentialId) -> None:
        world, provider = self.world, self.world.provider
        self.leaks.rest(name)
        view = world.view(name)
        ended = ("deleted", "expired", "revoked (exposed)")  # the last one by the provider: it never lives again
        left = [
            t
            for t in provider.tokens.values()
            if t.owner == name and t.id not in provider.foreign and t.status not in ended
        ]
        standing = {place: world.places[place].data.get(name) for place in world.required if place not in view.heeded}
        held = {t.id for t in left for place, n in self._held(t) if place not in world.required}
        known = {v for v in provider.by_value if f"f{v}" in view.values}
        lives = [
            v
            for v in set(standing.values()) | known
            if provider.live(v) and (t := provider.of_value(v)) and t.owner == name
        ]
        if not lives:
            world.bad(Law.LOST, f"no live value of {name} in journal or targets")
        kept = {brought(d) for _, d in world.store.log if d.kind is Kind.CAPTURED}
        for at, stream, draft in self._spooled:
            if stream == name and at > world.lost_at and brought(draft) not in kept:
                world.bad(Law.SPOOLED, f"the value {brought(draft)} was spooled at {at:.0f} and never captured")
        if len(set(standing.values())) > 1 or not all(provider.live(v) for v in standing.values()):
            world.bad(Law.TARGETS, f"{name}: {standing}")
        now, asked = provider.tokens.get(view.current), world.scenario.drift is OnDrift.RESTORE
        waits = view.ahead and view.cleared_at < view.ahead_at
        if asked and now is not None and now.status == "active" and not now.equal and not waits:
            world.bad(Law.MENDED, f"{name}: {now.id}, changed at {now.changed:.0f}, is not what was asked for")
        if view.rotation:
            r = view.rotation
            world.bad(
                Law.OPEN, f"{name}: {r.strategy} {r.step} since {r.since:.0f}, attempt {r.attempt}, {dict(r.failures)}"
            )
        if world.scenario.mute:
            return  # nobody spoke, so the old token lives
        if set(view.retirements) - held:
            world.bad(
                Law.RETIREMENT, f"{name}: {[(t, r.step.value, round(r.since)) for t, r in view.retirements.items()]}"
            )
        stray = [t for t in left if t.id not in held and not self._forgotten(t)]
        if not world.scenario.can.list:
            return  # what the journal does not know can be found by nobody
        if len(stray) > 1 or (not stray and not held):
            world.bad(Law.ORPHAN, f"{name}: {[(t.id, t.name, t.status) for t in left]}")

    def _forgotten(self, tok: Tok) -> bool:
        """A token of a journal that is gone, which stood nowhere: nothing tells it from another instance's."""
        name = parse(tok.name)
        lost = bool(self.world.count["empty"]) and name is not None and name.instance != self.world.instance
        return lost and tok.id != self.world.view(tok.owner).current
