"""Laws over random histories: facts that the journal allows, in any order, with anything seen outside."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.core import encoding
from rotator.core.credential import DAY, Policy, Strategy, TargetRef, Terms
from rotator.core.facts import Draft, Kind
from rotator.core.protocol.decide import TABLES, Tables
from rotator.core.protocol.fold import fold
from rotator.core.protocol.rules import Act, Action, Case, Look, Result, Seen, Sight
from rotator.core.protocol.steps import GUARDS, Guards, legal
from rotator.core.protocol.view import View, blank
from rotator.core.schedule.agenda import Step, next_step
from tests.unit.core.story import START, credential

K = Kind
TARGETS = (TargetRef(name="env", type="f", place="e"), TargetRef(name="vault", type="f", place="v", required=False))
POLICY = Policy(lifetime=20 * DAY, renew_before=6 * DAY, grace=600, quiet=300, soak=200)
CONFIGURED = credential(targets=TARGETS, policy=POLICY, adopt="t0")
DIFFERENCES = [{"part": "policies", "message": "m", "widens": True}, {"part": "expiry", "message": "m"}]
ENDS = {K.DISPLACED, K.DONE, K.ADOPTED}
PAUSES = (0.0, 1.0, 45.0, 61.0, 700.0, 4000.0, 2 * DAY, 9 * DAY)

Choice = tuple[int, int, int]
"""Which of the possible facts, which of its variants, and how much later."""

Possible = tuple[Kind, dict[str, object]]
"""A fact that somebody may try to write: its kind and fields."""


@dataclass(frozen=True)
class Anything(Mapping[Look, Seen]):
    """What was seen outside: one answer per sight, whatever it is about."""

    answers: Mapping[Sight, Seen]

    def get(self, key: Look, default: Seen | None = None) -> Seen | None:  # type: ignore[override]
        return self.answers.get(key.sight, default)

    def __getitem__(self, key: Look) -> Seen:
        return self.answers[key.sight]

    def __iter__(self) -> Iterator[Look]:
        return (Look(sight) for sight in self.answers)

    def __len__(self) -> int:
        return len(self.answers)


@dataclass
class Past:
    """A history as it grows: the journal's guards decide what may come next."""

    guards: Guards = field(default_factory=lambda: GUARDS)
    view: View = field(default_factory=blank)
    at: float = START
    told: list[Draft] = field(default_factory=list)
    serial: int = 0

    def draft(self, kind: Kind, **fields: object) -> Draft:
        rotation = self.view.rotation
        base = {"at": self.at, "rid": rotation.rid if rotation else ""}
        return encoding.draft(kind, **{**base, **fields})  # type: ignore[arg-type]

    def steps(self, variant: int) -> list[Possible]:
        """What would carry the open rotation on, or the retirements."""
        view, rotation, n = self.view, self.view.rotation, self.serial
        found: list[Possible] = [(kind, {"token_id": t}) for t in view.retirements for kind in MARKING]
        if rotation is None:
            return found
        of = {
            "token_id": rotation.token_id,
            "token_name": rotation.attempt_name,
            "generation": rotation.generation,
            "fingerprint": rotation.fingerprint,
            "target": ("env", "vault")[variant % 2],
        }
        rolls = rotation.strategy is Strategy.ROLL
        again = next(iter(view.marked), f"t{variant % 4}")  # a provider that gives an id twice
        minted = rotation.token_id if rolls else (f"m{n}", again)[variant % 4 == 0]
        return [
            (K.INTENT, {"token_name": f"n{n}", "attempt": rotation.attempt + 1, "token_id": rotation.token_id}),
            (K.CAPTURED, {**of, "token_id": minted, "fingerprint": f"{minted}.c{n}", "detail": self.life(variant)}),
            (K.EXTENDED, {"token_id": rotation.token_id, "detail": self.life(variant)}),
            (K.VERIFIED, of),
            (K.PUBLISHING, {**of, "generation": view.generation + 1}),
            (K.CONFIRMED, of),
            (K.DONE, of),
            *((kind, of) for kind in BESIDE),
            *found,
        ]

    def troubles(self, variant: int) -> list[Possible]:
        """Everything else that a world, an operator or a stale process may come up with."""
        view, rotation, n = self.view, self.view.rotation, self.serial
        token, target = f"t{variant % 4}", ("env", "vault")[variant % 2]
        value = {"token_id": token, "fingerprint": f"{token}.{variant}", "target": target, "detail": self.life(variant)}
        found: list[Possible] = [
            (K.BASELINE, {"target": target}),
            (K.SEEN, {"target": target, "token_id": token}),
            (K.OVERRIDDEN, {"target": target, "fingerprint": f"x{variant}"}),
            (K.OVERRIDE_ENDED, {"target": target}),
            (K.ACK, {"target": target, "generation": variant % 3 + 1}),
            (K.COMPARED, {"token_id": token, "detail": {"differences": DIFFERENCES[: variant % 3], "digest": "d"}}),
            (K.UPDATING, {"token_id": view.current}),
            (K.UPDATED, {"token_id": view.current}),
            (K.KEPT, {"token_id": view.current, "detail": {"digest": "d"}}),
            (K.HELD, {"target": target, "token_id": token, "detail": {"by": "c1", "ended": variant % 2 == 0}}),
            (K.KNOWN, value),
            (K.ADOPTED, value),
            (K.AHEAD, {}),
            (K.REQUEST, {"detail": {"request_id": f"q{n}", "strategy": ("", "roll", "recreate")[variant % 3]}}),
            (K.REVOKED, {"detail": {"tokens": self.leaked(variant), "without_successor": variant % 5 == 0}}),
            (K.PAUSED, {"detail": {"until": self.at + 500}}),
            (K.RESUMED, {}),
            (K.RESOLVED, {"detail": {"how": ("retry", "accept", "abandon", "undo")[variant % 4]}}),
            (K.TARGET_RELEASED, {"target": target}),
            (K.TARGET_ADDED, {"target": target}),
            (K.RETIREMENT, {"token_id": token, "detail": {**self.life(variant), "policy": POLICY.to_json()}}),
            *((kind, {"token_id": token}) for kind in MARKING),
        ]
        for strategy, terms in TERMS.items():
            keeps, heals = strategy is not Strategy.RECREATE, strategy is Strategy.REPUBLISH
            of = {"token_id": view.current if keeps else "", "fingerprint": view.fingerprint if heals else ""}
            if view.current or not keeps:
                found.append((K.PLANNED, {**of, "rid": f"r{n}", "detail": terms}))
        if rotation:
            name = (rotation.attempt_name, *view.attempts)[variant % (1 + len(view.attempts))]
            of = {"token_id": rotation.token_id, "token_name": rotation.attempt_name, "target": target}
            act = ("mint", "write", "read_back")[variant % 3]
            found += [
                (K.CAPTURED, {"token_id": f"m{n}", "token_name": name, "fingerprint": f"m{n}.late"}),
                (K.ABANDONED, {**of, "detail": {"rejected": variant % 2 == 0}}),
                (K.DISPLACED, {**of, "detail": {"yields": variant % 2 == 0, "closed": variant % 3 == 0}}),
                (K.FAILED, {**of, "detail": {"act": act}}),
            ]
        return found

    def leaked(self, variant: int) -> list[str]:
        """What a revoke names: whatever lives and may have stood somewhere, or one of them."""
        view = self.view
        used = [view.current, view.rotation.token_id if view.rotation else "", *view.retirements]
        stood = [token for token in dict.fromkeys(used) if token and view.ever_published(token)]
        return stood[:1] if variant % 2 else stood

    def life(self, variant: int) -> dict[str, object]:
        """A token's birth and end."""
        return {"born": self.at, "expires_at": self.at + (variant % 3 + 1) * 8 * DAY}

    def tell(self, choice: Choice) -> Draft:
        """The next fact of the history: of all that are thought of, the first that the journal allows."""
        which, variant, pause = choice
        self.at += PAUSES[pause]
        found = self.steps(variant) if which % 3 else []
        offset, troubles = which % (len(found) or 1), self.troubles(variant)
        turn = which % len(troubles)
        for kind, fields in (*found[offset:], *found[:offset], *troubles[turn:], *troubles[:turn]):
            draft = self.draft(kind, **fields)
            if not legal(self.view, draft, self.guards):
                break
        else:
            raise AssertionError("an operator can always act")
        self.serial += 1
        self.view = fold(self.view, draft)
        self.told.append(draft)
        return draft


MARKING = (K.SUPERSEDED, K.CONDEMNED, K.DISABLED, K.DELETED, K.RETIRED)
BESIDE = (K.PUBLISH_INTENT, K.WRITTEN, K.READ_BACK, K.UNWRITTEN)
TERMS = {
    strategy: Terms(
        policy=replace(POLICY, strategy=strategy), targets=CONFIGURED.all, required=CONFIGURED.required
    ).to_json()
    for strategy in Strategy
}

HISTORIES = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 11), st.integers(0, len(PAUSES) - 1)), max_size=40)
FINE = st.just((Result.GOOD, 0.0))
SEEN = st.fixed_dictionaries(
    {
        sight: st.one_of(FINE, FINE, st.tuples(st.sampled_from(Result), st.sampled_from((0.0, 20.0, 70.0, 400.0))))
        for sight in Sight
    }
)
"""Mostly good news, so that the protocol gets far; now and then anything, of any age."""


def ask(past: Past, seen: Mapping[Sight, tuple[Result, float]], tables: Tables = TABLES) -> Step:
    answers = Anything({sight: Seen(past.at - age, result, "") for sight, (result, age) in seen.items()})
    return next_step(Case(view=past.view, credential=CONFIGURED, now=past.at, seen=answers), tables)


def acts(past: Past, seen: Mapping[Sight, tuple[Result, float]], tables: Tables = TABLES) -> list[Action]:
    return list(ask(past, seen, tables).actions)


@settings(max_examples=80)
@given(HISTORIES, SEEN)
def test_there_is_always_an_answer_and_always_the_same(history, seen):
    past = Past()
    for choice in history:
        past.tell(choice)
        step = ask(past, seen)

        assert step == ask(past, seen)
        if not step.actions:
            obligations = set(past.view.retirements) | ({"rotation"} if past.view.rotation else set())
            assert obligations <= set(step.why)
            assert step.until == min(w.until for w in step.why.values())


@settings(max_examples=80)
@given(HISTORIES)
def test_there_are_never_two_open_rotations(history):
    past, open_rid = Past(), ""
    for choice in history:
        told = past.tell(choice)
        rotation = past.view.rotation
        if told.kind is K.PLANNED:
            assert not open_rid
            open_rid = told.rid
        elif told.kind in ENDS or (told.kind is K.CONFIRMED and rotation is None):
            open_rid = ""
        assert (rotation.rid if rotation else "") == open_rid


@settings(max_examples=100)
@given(HISTORIES, SEEN)
def test_nothing_is_destroyed_without_a_mark_of_that_very_token(history, seen):
    past, marked = Past(), set[str]()
    for choice in history:
        told = past.tell(choice)
        if told.kind in (K.SUPERSEDED, K.CONDEMNED):
            marked.add(told.what.token_id)
        elif told.kind is K.REVOKED:
            marked |= set(told.what.tokens)
        for action in acts(past, seen):
            if action.act in (Act.DISABLE, Act.DELETE):
                assert action.token_id in marked


@settings(max_examples=100)
@given(HISTORIES, SEEN)
def test_nothing_is_written_before_its_value_is_durable_and_under_recreate_verified(history, seen):
    past, durable, verified = Past(), set[str](), set[tuple[str, str]]()
    for choice in history:
        told = past.tell(choice)
        if told.kind in (K.CAPTURED, K.KNOWN, K.ADOPTED):
            durable.add(told.what.fingerprint)
        if told.kind is K.VERIFIED and past.view.rotation:
            verified.add((told.rid, past.view.rotation.token_id))
        for action in acts(past, seen):
            if action.act is Act.WRITE:
                rotation = past.view.opened
                assert rotation.strategy is Strategy.ROLL or rotation.fingerprint in durable
                assert (rotation.rid, rotation.token_id) in verified


@settings(max_examples=100)
@given(HISTORIES)
def test_a_marked_token_is_never_publishable_again(history):
    past = Past()
    for choice in history:
        past.tell(choice)
        view = past.view
        assert view.current not in view.marked or view.uncured
        for token in view.marked:
            for kind in (K.VERIFIED, K.PUBLISHING, K.PUBLISH_INTENT, K.ADOPTED):
                assert legal(view, past.draft(kind, token_id=token, generation=view.generation, fingerprint="new"))


@settings(max_examples=80)
@given(HISTORIES)
def test_the_token_in_use_is_never_marked_nor_retired_without_being_replaced(history):
    past = Past()
    for choice in history:
        past.tell(choice)
        for kind in (K.SUPERSEDED, K.CONDEMNED, K.RETIREMENT):
            if past.view.current:
                assert legal(past.view, past.draft(kind, token_id=past.view.current))


@settings(max_examples=100)
@given(HISTORIES, st.integers(0, 40))
def test_a_fold_goes_on_where_it_was_left(history, cut):
    past = Past()
    for choice in history:
        past.tell(choice)

    view = blank()
    for told in past.told[:cut]:
        view = fold(view, told)
    for told in past.told[cut:]:
        view = fold(view, told)

    assert view == past.view


@settings(max_examples=100)
@given(HISTORIES)
def test_a_fold_is_the_same_after_the_json_of_the_journal(history):
    past = Past()
    for choice in history:
        past.tell(choice)

    view = blank()
    for told in past.told:
        columns, detail = encoding.encode(told.what)
        again = encoding.read(told.kind, columns, json.dumps(detail, allow_nan=False))
        assert again == told.what
        view = fold(view, replace(told, what=again))

    assert view == past.view


@settings(max_examples=100)
@given(HISTORIES)
def test_no_value_that_was_ever_captured_is_forgotten(history):
    past, values = Past(), dict[str, str]()
    for choice in history:
        told = past.tell(choice)
        if told.kind is K.CAPTURED:
            values.setdefault(told.what.fingerprint, told.what.token_id)

        assert values.items() <= past.view.values.items()


@settings(max_examples=100)
@given(HISTORIES)
def test_generations_only_grow(history):
    past, before = Past(), 0
    for choice in history:
        past.tell(choice)

        assert past.view.generation >= before
        before = past.view.generation


def test_random_histories_reach_the_whole_protocol():
    """Else the laws above would hold because nothing happens."""
    import random

    chance, kinds, destroyed, written = random.Random(1), set[Kind](), 0, 0
    good = {sight: (Result.GOOD, 0.0) for sight in Sight}
    for _ in range(120):
        past = Past()
        for _ in range(70):
            told = past.tell((chance.randrange(100), chance.randrange(12), chance.randrange(len(PAUSES))))
            kinds.add(told.kind)
            for action in acts(past, good):
                destroyed += action.act in (Act.DISABLE, Act.DELETE)
                written += action.act is Act.WRITE

    pair = {K.MEMBER, K.EXTENDING, K.PROLONGED, K.ROLLING, K.PLACED, K.UNKEPT}  # of a stream of its own
    assert kinds == set(Kind) - {K.CONFIGURED, K.UNKNOWN, K.FORGOTTEN, K.HOOKED} - pair
    assert destroyed > 20
    assert written > 20
