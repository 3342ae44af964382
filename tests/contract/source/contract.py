"""What every source keeps (`rotator.core.ports.source`), whatever stands behind it.

A suite subclasses `SourceContract` in a file of its own and gives a `world`.
"""

from collections.abc import Callable

import pytest

from rotator.core.credential import NEVER
from rotator.core.errors import OperatorNeeded, OutcomeUnknown, RateLimited, Refused, RotatorError, Unavailable
from rotator.core.ports.source import Minted
from rotator.core.secret import Secret
from tests.contract.source.world import Seen, World

HOUR = 3600.0
DEAD = Secret("nobody-has-ever-had-this-value-0123456789")
EFFECTS = ["create", "roll", "update", "delete"]
READS = ["get", "list", "verify"]


def act(world: World, operation: str, token: Minted) -> object:
    """Let the source send that request."""
    match operation:
        case "create":
            return world.source.mint("another", world.now() + HOUR)
        case "roll":
            return world.source.roll(token.token_id)
        case "update":
            return world.source.extend(token.token_id, world.now() + 5 * HOUR)
        case "delete":
            return world.source.delete(token.token_id)
        case "get":
            return world.source.get(token.token_id)
        case "list":
            return world.source.tokens()
        case _:
            return world.source.verify(token.value)


def cannot(world: World, what: str, call: Callable[[], object]) -> bool:
    """Whether the source says that it cannot do it; then it refuses, and nothing reaches the provider."""
    if getattr(world.source.can, what):
        return False
    before = [world.requests(o) for o in (*EFFECTS, *READS)]
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.code == "unsupported"
    assert [world.requests(o) for o in (*EFFECTS, *READS)] == before
    return True


CAN = {"disable": "disable", "roll": "roll", "delete": "name_length"}
"""Method -> what a source must be able to do for it; every source can delete."""

NEEDS = {"roll": "roll", "update": "move_expiry", "list": "list"}
"""Operation -> what a source must be able to do for it."""


def one(world: World, token_id: str) -> Seen:
    return next(t for t in world.seen() if t.id == token_id)


def applied(world: World, operation: str, token: Minted, expires_at: float) -> bool:
    """Whether the provider did it."""
    match operation:
        case "create":
            return any(t.name == "another" for t in world.seen())
        case "roll":
            return world.alive(token.value) is None
        case "update":
            return one(world, token.token_id).expires_at != expires_at
        case _:
            return one(world, token.token_id).status == "deleted"


class SourceContract:
    """The suite."""

    @pytest.fixture
    def world(self) -> World:
        raise NotImplementedError

    @pytest.fixture
    def token(self, world: World) -> Minted:
        world.source.control()
        return world.source.mint("one", world.now() + HOUR)

    # ---------------------------------------------------------------------------------------------------------- minting
    def test_a_minted_token_has_the_name_and_expiry_that_were_asked_for_and_its_value_is_accepted(self, world: World):
        wanted = world.now() + HOUR + 0.7
        token = world.source.mint("base~instance.rid.1.1", wanted)

        assert world.alive(token.value) == token.token_id
        assert one(world, token.token_id).name == token.name == "base~instance.rid.1.1"
        assert one(world, token.token_id).expires_at == token.expires_at == int(wanted)
        assert abs(token.issued_at - world.now()) <= 5

    def test_a_token_can_be_minted_without_expiry(self, world: World):
        token = world.source.mint("forever", NEVER)

        assert token.expires_at == NEVER
        found = world.source.get(token.token_id)
        assert found is not None
        assert found.expires_at == NEVER

    def test_two_mints_of_one_name_are_two_tokens(self, world: World):
        first, second = world.source.mint("twin", NEVER), world.source.mint("twin", NEVER)

        assert first.token_id != second.token_id
        assert first.value != second.value

    # ---------------------------------------------------------------------------------------------------------- looking
    def test_what_was_minted_is_active_and_equal_to_what_was_asked_for(self, world: World, token: Minted):
        found = world.source.get(token.token_id)

        assert found is not None
        assert (found.id, found.name, found.active, found.equal) == (token.token_id, "one", True, True)
        assert found.expires_at == token.expires_at
        assert found.last_used_at is None
        assert found.compared

    def test_what_was_minted_is_told_by_no_name_that_the_source_cannot_take(self, world: World):
        longest = "n" * world.source.can.name_length

        assert world.source.can.name_length >= 60
        assert one(world, world.source.mint(longest, NEVER).token_id).name == longest

    def test_a_token_that_does_not_exist_is_none(self, world: World, token: Minted):
        world.source.delete(token.token_id)

        assert world.source.get(token.token_id) is None
        assert world.source.get("0" * 32) is None

    def test_a_use_of_a_token_is_seen(self, world: World, token: Minted):
        world.alive(token.value)
        found = world.source.get(token.token_id)

        assert found is not None
        if not world.source.can.last_use:
            assert found.last_used_at is None
            return
        assert found.last_used_at is not None
        assert abs(found.last_used_at - world.now()) <= 5

    def test_an_expired_token_is_not_active(self, world: World, token: Minted):
        world.advance(2 * HOUR)
        found = world.source.get(token.token_id)

        assert found is None or not found.active

    def test_every_token_of_the_owner_is_listed_however_many_there_are(self, world: World, token: Minted):
        if cannot(world, "list", world.source.tokens):
            return
        world.add(120)
        listed = world.source.tokens()

        assert {t.id for t in listed} == {t.id for t in world.seen() if t.status == "active"}
        assert len(listed) >= 121
        assert token.token_id in {t.id for t in listed}

    def test_a_live_value_verifies_as_its_token_and_a_dead_one_as_none(self, world: World, token: Minted):
        assert world.source.verify(token.value) == token.token_id
        assert world.source.verify(DEAD) is None

        world.source.delete(token.token_id)
        assert world.source.verify(token.value) is None

    def test_the_management_token_is_known_by_its_id_once_it_was_verified(self, world: World):
        assert world.source.control() is True
        assert world.source.principal == world.management_id

    def test_outputs_need_no_request(self, world: World, token: Minted):
        before = [world.requests(o) for o in (*EFFECTS, *READS)]
        found = world.source.outputs(token.token_id, token.value, token.expires_at)

        assert found["token.value"] == token.value
        assert found["token.id"].reveal() == token.token_id
        assert [world.requests(o) for o in (*EFFECTS, *READS)] == before

    # --------------------------------------------------------------------------------------------------------- changing
    def test_a_roll_keeps_the_id_and_ends_the_old_value(self, world: World, token: Minted):
        if cannot(world, "roll", lambda: world.source.roll(token.token_id)):
            return
        rolled = world.source.roll(token.token_id)

        assert (rolled.token_id, rolled.name, rolled.expires_at) == (token.token_id, token.name, token.expires_at)
        assert world.alive(rolled.value) == token.token_id
        assert world.alive(token.value) is None

    def test_rolling_a_token_that_is_not_there_is_a_certain_no(self, world: World, token: Minted):
        world.source.delete(token.token_id)

        with pytest.raises(Refused):
            world.source.roll(token.token_id)

    def test_extending_moves_the_expiry_and_nothing_else(self, world: World, token: Minted):
        if cannot(world, "move_expiry", lambda: world.source.extend(token.token_id, token.expires_at + 100)):
            return
        world.source.extend(token.token_id, token.expires_at + 100)
        found = world.source.get(token.token_id)

        assert found is not None
        assert (found.expires_at, found.name, found.active, found.equal) == (token.expires_at + 100, "one", True, True)
        assert world.alive(token.value) == token.token_id

    def test_updating_puts_the_name_right_and_leaves_value_end_and_status_alone(self, world: World, token: Minted):
        if cannot(world, "update", lambda: world.source.update(token.token_id, "another")):
            return
        world.source.update(token.token_id, "another")
        found = world.source.get(token.token_id)

        assert found is not None
        assert (found.name, found.expires_at, found.active, found.equal) == ("another", token.expires_at, True, True)
        assert world.alive(token.value) == token.token_id

    def test_updating_never_wakes_a_token_that_is_disabled(self, world: World, token: Minted):
        if not world.source.can.update or not world.source.can.disable:
            return
        world.source.disable(token.token_id)

        with pytest.raises(Refused):
            world.source.update(token.token_id, "one")
        assert one(world, token.token_id).status == "disabled"

    def test_a_listed_token_is_compared_without_another_request(self, world: World, token: Minted):
        if not world.source.can.list or not world.source.can.compare:
            return
        world.source.get(token.token_id)  # names are looked up once
        (row,) = (state for state in world.source.tokens() if state.id == token.token_id)
        before = [world.requests(operation) for operation in (*EFFECTS, *READS)]
        found = world.source.compared(row)

        assert (found.compared, found.equal, found.differences) == (True, True, ())
        assert [world.requests(operation) for operation in (*EFFECTS, *READS)] == before

    def test_a_disabled_token_is_there_and_its_value_is_not_accepted(self, world: World, token: Minted):
        if cannot(world, "disable", lambda: world.source.disable(token.token_id)):
            return
        world.source.disable(token.token_id)

        found = world.source.get(token.token_id)
        assert found is not None
        assert (found.status, found.equal, found.expires_at) == ("disabled", True, token.expires_at)
        assert world.source.verify(token.value) is None

    def test_disabling_twice_or_what_is_dead_or_gone_is_a_success_and_changes_nothing(
        self, world: World, token: Minted
    ):
        if cannot(world, "disable", lambda: world.source.disable(token.token_id)):
            return
        world.source.disable(token.token_id)
        updates = world.requests("update")
        world.source.disable(token.token_id)
        assert one(world, token.token_id).status == "disabled"

        world.advance(2 * HOUR)
        world.source.disable(token.token_id)

        world.source.delete(token.token_id)
        world.source.disable(token.token_id)
        assert one(world, token.token_id).status == "deleted"
        assert world.requests("update") == updates

    def test_deleting_twice_is_a_success(self, world: World, token: Minted):
        world.source.delete(token.token_id)
        world.source.delete(token.token_id)

        assert one(world, token.token_id).status == "deleted"

    @pytest.mark.parametrize("act_on", ["disable", "delete", "roll"])
    def test_the_management_token_never_acts_upon_itself(self, world: World, act_on: str):
        if cannot(world, CAN[act_on], lambda: getattr(world.source, act_on)(world.management_id)):
            return
        with pytest.raises(OperatorNeeded) as caught:
            getattr(world.source, act_on)(world.management_id)

        assert caught.value.code == "management_token"
        assert caught.value.remedy
        assert one(world, world.management_id).status == "active"
        assert world.source.control() is True
        assert [world.requests(o) for o in ("update", "delete", "roll")] == [0, 0, 0]

    # -------------------------------------------------------------------------------------------------- what goes wrong
    @pytest.mark.parametrize("operation", EFFECTS)
    @pytest.mark.parametrize(
        "kind, error, done",
        [
            ("lose_request", OutcomeUnknown, False),
            ("lose_answer", OutcomeUnknown, True),
            ("break", OutcomeUnknown, False),
            ("refuse", Refused, False),
            ("limit", RateLimited, False),
        ],
    )
    def test_an_effect_that_goes_wrong_is_told_exactly_and_sent_once(
        self, world: World, token: Minted, operation: str, kind: str, error: type[RotatorError], done: bool
    ):
        if cannot(world, NEEDS.get(operation, "name_length"), lambda: act(world, operation, token)):
            return
        before = world.requests(operation)
        world.fault(operation, kind)

        with pytest.raises(error) as caught:
            act(world, operation, token)

        assert type(caught.value) is error
        assert world.requests(operation) == before + 1
        assert applied(world, operation, token, token.expires_at) is done
        assert sum(t.name == "another" for t in world.seen()) <= 1
        if isinstance(caught.value, RateLimited):
            assert caught.value.retry_after == 42

    @pytest.mark.parametrize("operation", READS)
    @pytest.mark.parametrize("kind", ["lose_request", "lose_answer", "break", "limit"])
    def test_a_read_without_a_usable_answer_is_unavailable(
        self, world: World, token: Minted, operation: str, kind: str
    ):
        if cannot(world, NEEDS.get(operation, "name_length"), lambda: act(world, operation, token)):
            return
        world.fault(operation, kind)

        with pytest.raises(RateLimited if kind == "limit" else Unavailable) as caught:
            act(world, operation, token)

        assert not isinstance(caught.value, RateLimited) or caught.value.retry_after == 42
        act(world, operation, token)

    @pytest.mark.parametrize("operation", [*EFFECTS, *READS])
    def test_no_error_holds_a_value(self, world: World, token: Minted, operation: str):
        if cannot(world, NEEDS.get(operation, "name_length"), lambda: act(world, operation, token)):
            return
        world.fault(operation, "lose_answer")

        with pytest.raises(RotatorError) as caught:
            act(world, operation, token)

        error: BaseException | None = caught.value
        while error is not None:
            assert token.value.reveal() not in f"{error} {error!r} {vars(error)}"
            error = error.__cause__ or error.__context__
