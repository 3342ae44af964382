"""What people, machines and disks do to a simulated world: outages, edits, restores, clocks, the calm at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from rotator.core.credential import DAY
from rotator.core.facts import Acknowledged, Draft, How, Kind, Requested, Resolved, Resumed, Revoked
from rotator.core.ids import NO_TOKEN, CredentialId, RequestId
from rotator.core.protocol.fold import fold
from rotator.core.protocol.names import parse
from rotator.core.protocol.revoke import to_revoke
from rotator.testing.simulation.scene import Scene
from rotator.testing.simulation.store import Snapshot, Stream
from rotator.testing.simulation.timings import GRACE

REST = 800.0
"""Seconds without any open work after which a run has come to rest: two sweeps and a listing that lags."""


class Happenings:
    """What a world's scenario calls by name, and how people answer the daemon."""

    def __init__(self, world: Scene) -> None:
        self.world = world

    # --- what the daemon says and does

    def alarm(self, name: str, fields: Mapping[str, object]) -> None:
        """The engine said something; an operator answers an alarm after a while."""
        self.world.count[f"event {name}"] += 1
        credential = str(fields.get("credential", ""))
        if name in ("target_overridden", "operator_needed") and credential not in self.world.awaiting:
            self.world.awaiting.add(credential)

            def answer() -> None:
                self.world.awaiting.discard(credential)
                decisions = ["retry", "retry", "retry", "accept", "abandon"]
                how = "retry" if self.world.calm else self.world.chance.choice(decisions)
                self.resolve(credential, how)

            self.world.hub.at(self.world.chance.choice([300.0, 900.0]), answer)

    def appended(self, stream: CredentialId, draft: Draft) -> None:
        """A fact became durable."""
        self.world.count[f"fact {draft.kind}"] += 1
        if self.world.trace is not None:
            told = [getattr(draft.what, name, "") for name in ("token_id", "target", "why", "act")]
            about = " ".join(filter(None, told))
            self.world.note("", stream, "FACT", draft.kind.value, about)
        self.world.judge.fact(stream, draft)
        if draft.kind is Kind.CONFIRMED and self.world.scenario.blind and not self.world.scenario.mute:
            self.world.hub.at(400.0, lambda: self.acknowledge(stream))

    # --- what people and machines do

    def happening(self, what: str, arguments: list[float | str]) -> Callable[[], None]:
        def call() -> None:
            self.world.count[what] += 1
            self.world.note("-", "-", "event", what, " ".join(map(str, arguments)))
            getattr(self, f"_{what}")(*arguments)

        return call

    def _down(self, place: str, seconds: float) -> None:
        self.world.places[place].down = max(self.world.places[place].down, self.world.hub.now + seconds)

    def _freeze(self, place: str, seconds: float) -> None:
        """A place can be read and not be written: a read-only mount, a token without the right to write."""
        self.world.places[place].frozen = self.world.hub.now + seconds

    def _jump(self, skew: float, seconds: float) -> None:
        """The provider's clock is wrong for less than a settle time: nothing may come of it."""
        self.world.skew = skew

        def right() -> None:
            self.world.skew = 0.0

        self.world.hub.at(seconds, right)

    def _full(self, seconds: float) -> None:
        self.world.full_since = self.world.hub.now
        self.world.store.full_until = self.world.hub.now + seconds
        self.world.excused_until = max(self.world.excused_until, self.world.hub.now + seconds + 300)

    def _edit(self, place: str, name: CredentialId, what: str, pick: float) -> None:
        """An operator saves something at a managed key."""
        found = self.world.places[place]
        if found.kind == "file" and place not in self.world.required:
            return
        view, provider = self.world.view(name), self.world.provider
        standing = {value for one in self.world.places.values() for value in one.data.values()}
        seen = {
            v for v in provider.by_value if "f" + v in view.values or v in standing
        }  # of a lost answer nobody knows
        old = [
            v
            for v, t in provider.by_value.items()
            if provider.tokens[t].owner == name and v in seen and "f" + v != view.fingerprint
        ]
        choice = {
            "known": old[int(pick) % len(old)] if old else None,
            "garbage": f"junk{int(pick)}",
            "unknown": f"v9{int(pick):05}",
            "placeholder": "changeme",
            "foreign": self.world.provider.tokens[min(self.world.provider.foreign)].value,
            "absent": None,
        }[what]
        data = {k: v for k, v in found.data.items() if k != name}
        self.world.store_place(place, data | ({name: choice} if choice else {}), None)

    def paste(self, name: CredentialId) -> None:
        """An operator pastes the credential's old value into a file that we cannot write for a while."""
        self._freeze("env", 500.0)
        self._edit("env", name, "known", 0.0)

    def _outsider(self, name: CredentialId, act: str) -> None:
        """Somebody disables, deletes or rolls a token of ours at the provider."""
        tok = self.world.provider.tokens.get(self.world.view(name).current)
        if act == "newest":
            ours = [
                t
                for t in self.world.provider.tokens.values()
                if t.owner == name and t.status == "active" and parse(t.name)
            ]
            tok = max(ours, key=lambda t: t.born, default=None)
        if tok is None or tok.status != "active" or tok.id in self.world.provider.foreign:
            return
        if act == "roll":
            self.world.roll(tok.id)
        else:
            tok.status, tok.killed = ("disabled" if act == "disable" else "deleted"), "outsider"
            self.world.judge.check_dead(name)

    def _changed(self, name: CredentialId) -> None:
        """Somebody changes grants and name of the current token at the provider; it lives on."""
        tok = self.world.provider.tokens.get(self.world.view(name).current)
        if tok is not None and tok.status == "active" and tok.id not in self.world.provider.foreign:
            tok.equal, tok.changed = False, self.world.hub.now
            tok.modified = tok.changed
            # a token that the journal lost is known again by its name alone
            if not any(event[1] in ("restore", "empty") for event in self.world.scenario.events):
                tok.name = f"{tok.name} of somebody"

    def _remove(self, place: str) -> None:
        if place in self.world.required and len(self.world.required) > 1:
            del self.world.required[place]
            self.world.past[place] = self.world.hub.now

    def _add(self, place: str) -> None:
        self.world.excused_until = max(self.world.excused_until, self.world.hub.now + 600)
        self.world.required.setdefault(place, True)
        left, now = self.world.past.pop(place, None), self.world.hub.now
        if left is not None and now - left >= GRACE:
            self.world.returned[place] = now

    def _request(self, name: CredentialId) -> None:
        now = self.world.hub.now
        self._note(name, Draft(what=Requested(request_id=RequestId(f"q{now:.0f}")), at=now))

    def _revoke(self, name: CredentialId, bare: float) -> None:
        """An operator revokes, with or without a successor; then he lets work go on after a while."""
        world, now = self.world, self.world.hub.now
        named = to_revoke(world.view(name), world.adopts.get(name, NO_TOKEN))
        if not named:
            return
        world.leaks.revoked(named, bare=bool(bare))
        what = Revoked(
            tokens=named, without_successor=bool(bare), policy=world.credential(name).policy, reason="a leak"
        )
        self._note(name, Draft(what=what, at=now, actor="ops"))
        if bare:
            world.hub.at(600.0, lambda: self._note(name, Draft(what=Resumed(), at=world.hub.now)))

    def resume(self) -> None:
        """An operator ends every pause: a journal that was put back may have lost that somebody did already."""
        for name in self.world.names:
            if self.world.view(name).pause:
                self._note(name, Draft(what=Resumed(), at=self.world.hub.now))

    def _expose(self, name: CredentialId) -> None:
        """The provider finds the current value in public and ends its token."""
        tok = self.world.provider.tokens.get(self.world.view(name).current)
        if tok is not None and tok.status == "active" and tok.id not in self.world.provider.foreign:
            tok.status, tok.killed = "revoked (exposed)", "outsider"
            self.world.judge.check_dead(name)

    def resolve(self, only: str = "", how: str = "retry") -> None:
        """An operator decides; accept and abandon are for what stands at a target and for an open rotation."""
        for name in self.world.names:
            view = self.world.view(name)
            again = view.uncured and view.exposed_at - view.exposed_before < DAY and view.cleared_at < view.exposed_at
            stuck = view.overridden or view.ahead or again or (view.rotation and view.rotation.rejects)
            if only in ("", name) and stuck:
                self.world.count[f"resolved {how}"] += 1
                if how == "retry":
                    self.world.allowed |= set(view.overridden.items())
                self._note(name, Draft(what=Resolved(how=How(how)), at=self.world.hub.now))

    def acknowledge(self, name: CredentialId) -> None:
        """A consumer of the write-only target says that it uses the current generation, as soon as that is true."""
        view, now = self.world.view(name), self.world.hub.now
        if self.holds_current("blind", name):
            self.world.judge.spoke(name)
            said = Acknowledged(target="blind", generation=view.generation)
            self._note(name, Draft(what=said, at=now, actor="app"))
        else:
            self.world.hub.at(300.0, lambda: self.acknowledge(name))

    def holds_current(self, place: str, name: CredentialId) -> bool:
        """Whether a place holds the current value of a credential, as its consumers know."""
        return f"f{self.world.places[place].data.get(name)}" == self.world.view(name).fingerprint

    def take_back(self) -> None:
        """Whoever left alone what somebody wrote over a write-only target, and does not hold ours, ends that."""
        for name in self.world.names:
            if "blind" in self.world.view(name).heeded and not self.holds_current("blind", name):
                self._note(name, Draft(what=Resolved(how=How.UNDO), at=self.world.hub.now))

    def _note(self, name: CredentialId, draft: Draft) -> None:
        stream = self.world.store.stream(name)
        stream.view = replace(fold(stream.view, draft), position=stream.view.position + 1)

    def snapshot(self) -> None:
        self.world.snapshots.append((self.world.hub.now, self.world.store.snapshot()))
        if self.world.hub.now < self.world.scenario.horizon:
            self.world.hub.at(7.0, self.snapshot)

    def _restore(self, age: float, alive: float) -> None:
        """The journal of `age` seconds ago is put back, with or without the processes noticing."""
        old = [s for at, s in self.world.snapshots if at <= self.world.hub.now - age]
        if old:
            self._lose(old[-1], bool(alive))

    def _empty(self, alive: float) -> None:
        """The journal is gone."""
        self.world.instance = f"i{int(self.world.instance[1:]) + 10}"
        self._lose(({name: Stream() for name in self.world.names}, {}), bool(alive))

    def _lose(self, snapshot: Snapshot, alive: bool) -> None:
        streams, leases = snapshot
        self.world.store.streams, self.world.store.leases = dict(streams), dict(leases)
        self.world.store.streams = {k: replace(s) for k, s in self.world.store.streams.items()}
        self.world.lost_at, self.world.snapshots = self.world.hub.now, []
        self.world.judge.restored()
        if self.world.chance.random() < 0.5:
            self.world.store.spools.clear()
        if not alive:
            for process in self.world.processes:
                self.world.kill(process)
        self.world.hub.at(1500.0, self.resolve)
        self.world.hub.at(1500.0, self.resume)

    def calm(self) -> None:
        """Faults end; what is left must come to rest."""
        self.world.calm = self.world.faults.quiet = True
        self.world.provider.lags = False
        self.world.store.full_until = -1.0
        for place in self.world.places.values():
            place.down = min(place.down, self.world.hub.now)
            place.frozen = min(place.frozen, self.world.hub.now)
        self.world.hub.at(600.0, self.take_back)
        for delay in (700.0, 2500.0):
            self.world.hub.at(delay, self.resolve)
        self.world.hub.at(REST, self._at_rest)

    def _at_rest(self) -> None:
        """End early where nothing was open for long enough to sweep twice: a quiet tail only costs time."""
        views = [self.world.view(name) for name in self.world.names]
        idle = all(not (v.rotation or v.retirements or v.want or v.request or v.overridden) for v in views)
        self.world.resting = self.world.resting + 1 if idle else 0
        self.world.hub.at(100.0, self._at_rest)
