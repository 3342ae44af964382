"""Faults of lists, odd successes, zones, and what must not leak."""

import json

import pytest

from rotator.core.credential import NEVER
from rotator.core.errors import OutcomeUnknown, RateLimited, Refused, Unavailable
from rotator.core.ports.source import Minted
from tests.contract.source.contract import HOUR
from tests.contract.source.sandbox_world import SandboxWorld, sandbox_world
from tests.integration.cloudflare.faulty import CANARY, status


def test_a_list_with_a_page_missing_is_no_list(world: SandboxWorld, token: Minted):
    world.add(120)
    world.fault("list", "lose_answer", skip=2)

    with pytest.raises(Unavailable):
        world.source.tokens()


def test_a_list_that_keeps_changing_is_read_again_and_then_given_up(
    world: SandboxWorld, token: Minted, monkeypatch: pytest.MonkeyPatch
):
    world.add(60)
    from rotator.sandbox import paging

    whole = paging.page
    totals = iter(range(1000, 2000))

    def shifting(query, rows):
        answer = whole(query, rows)
        answer.info["total_count"] = next(totals)
        return answer

    monkeypatch.setattr("rotator.sandbox.tokens.paging.page", shifting)
    with pytest.raises(Unavailable, match="changed"):
        world.source.tokens()
    assert world.requests("list") == 4


def answered(world: SandboxWorld, operation: str, result: object, **info: object) -> None:
    """Let the next such request be answered with that, and not be done."""
    body = {"success": True, "errors": [], "messages": [], "result": result, "result_info": info}
    world.fault(operation, **status(200, body=json.dumps(body)))


ROW = {"id": "1" * 32, "name": "n", "status": "active"}


@pytest.mark.parametrize("rows", [[{**ROW, "status": None}], [{"name": "n"}], "rows", None, {"0": ROW}])
def test_a_list_with_something_that_is_no_token_is_no_list(world: SandboxWorld, rows: object):
    answered(world, "list", rows, total_count=1)

    with pytest.raises(Unavailable):
        world.source.tokens()


def test_a_list_that_shows_a_token_twice_is_read_again(world: SandboxWorld, token: Minted):
    answered(world, "list", [ROW, ROW])

    assert token.token_id in {t.id for t in world.source.tokens()}


def test_a_list_that_does_not_hold_what_it_counts_is_read_again(world: SandboxWorld, token: Minted):
    answered(world, "list", [ROW], total_count=2)

    assert token.token_id in {t.id for t in world.source.tokens()}


def test_a_list_without_a_count_ends_with_the_first_page_that_is_not_full(world: SandboxWorld):
    answered(world, "list", [{**ROW, "id": f"{n:032x}"} for n in range(50)])
    answered(world, "list", [ROW])

    assert len(world.source.tokens()) == 51


def test_a_list_beyond_every_quota_is_refused_and_not_cut(world: SandboxWorld, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("rotator.sources.cloudflare.listing.PAGES", 2)
    world.add(120)

    with pytest.raises(Unavailable, match="more than 2 pages"):
        world.source.tokens()


@pytest.mark.parametrize("hidden", [(), ("total_pages",), ("total_count",), ("total_count", "total_pages")])
def test_pages_may_be_smaller_than_asked_for_and_the_answer_itself_says_where_the_list_ends(
    world: SandboxWorld, token: Minted, monkeypatch: pytest.MonkeyPatch, hidden: tuple[str, ...]
):
    from rotator.sandbox import paging

    usual = paging.page

    def capped(query, rows):
        answer = usual({**query, "per_page": "20"}, rows)
        for key in hidden:
            del answer.info[key]
        return answer

    monkeypatch.setattr("rotator.sandbox.tokens.paging.page", capped)
    before = len(world.source.tokens())
    world.add(100 - before)

    assert len({t.id for t in world.source.tokens()}) == 100
    assert token.token_id in {t.id for t in world.source.tokens()}


def test_permission_groups_that_come_in_pages_are_read_to_the_end(world: SandboxWorld):
    from rotator.sources.cloudflare.management import permission_groups

    answered(world, "permission_groups", [{"id": f"{n:032x}"} for n in range(20)], page=1, per_page=20, total_count=30)
    answered(world, "permission_groups", [{"id": f"{n:032x}"} for n in range(20, 30)], page=2, total_count=30)

    assert len(permission_groups(world.connection, "/accounts/x/tokens")) == 30


@pytest.mark.parametrize(
    "result",
    [None, "x" * 40, {}, {"id": "2" * 32, "value": "short"}, {"value": CANARY}, {"id": "../x", "value": CANARY}],
)
def test_a_create_without_a_value_and_an_id_is_unknown_and_quotes_nothing(world: SandboxWorld, result: object):
    answered(world, "create", result)

    with pytest.raises(OutcomeUnknown) as caught:
        world.source.mint("one", world.now() + HOUR)
    assert "CANARY" not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


def test_a_value_beside_a_failure_is_taken(world: SandboxWorld):
    shown = {"success": False, "errors": [{"code": 1, "message": "odd"}], "result": {"id": "2" * 32, "value": CANARY}}
    world.fault("create", **status(500, body=json.dumps(shown)))

    assert world.source.mint("one", world.now() + HOUR).value.reveal() == CANARY


def test_a_get_that_shows_another_token_is_no_answer(world: SandboxWorld, token: Minted):
    for shown in ({**ROW}, {"id": token.token_id, "name": "one"}, [token.token_id]):
        answered(world, "get", shown)
        with pytest.raises(Unavailable):
            world.source.get(token.token_id)


def test_a_token_that_is_shown_in_an_unreadable_way_is_not_written_over(world: SandboxWorld, token: Minted):
    answered(world, "get", {**ROW, "id": token.token_id, "policies": ["?"]})

    with pytest.raises(Unavailable, match="unchanged"):
        world.source.disable(token.token_id)
    assert world.requests("update") == 0


def test_a_disabling_that_shows_the_token_active_is_not_taken_for_done(world: SandboxWorld, token: Minted):
    answered(world, "update", {**ROW, "id": token.token_id})

    with pytest.raises(OutcomeUnknown):
        world.source.disable(token.token_id)


def test_a_disabling_that_is_refused_says_so(world: SandboxWorld, token: Minted):
    world.fault("update", **status(403))

    with pytest.raises(Refused):
        world.source.disable(token.token_id)


def test_an_expiry_can_be_taken_away(world: SandboxWorld, token: Minted):
    before = world.sandbox.world.tokens[token.token_id].expires_on
    world.source.extend(token.token_id, NEVER)

    assert before is not None
    assert world.sandbox.world.tokens[token.token_id].expires_on is None


def test_an_expiry_beyond_all_calendars_is_not_sent(world: SandboxWorld, token: Minted):
    with pytest.raises(Refused):
        world.source.extend(token.token_id, 1e15)
    assert world.requests("update") == 0


def test_extending_what_is_gone_is_a_certain_no(world: SandboxWorld, token: Minted):
    world.source.delete(token.token_id)

    with pytest.raises(Refused) as caught:
        world.source.extend(token.token_id, world.now() + HOUR)
    assert caught.value.code == "not_found"


def test_a_failed_control_is_forgotten_once_the_token_is_accepted_again(world: SandboxWorld, token: Minted):
    world.fault("verify", "break")
    with pytest.raises(Unavailable):
        world.source.control()
    assert world.source.principal == world.management_id

    world.fault("verify", **status(401))
    assert world.source.control() is False
    assert world.source.control() is True


def test_a_budget_that_ends_while_the_zones_are_asked_for_is_a_wait_and_not_an_unknown_zone(world: SandboxWorld):
    world.fault("zones", "limit")
    with pytest.raises(RateLimited):
        world.source.mint("one", world.now() + HOUR)
    world.fault("zones", "limit")
    with pytest.raises(RateLimited):
        world.source.get(world.management_id)


def test_zone_names_are_asked_once_and_kept(world: SandboxWorld, token: Minted):
    before = world.requests("zones")
    world.source.get(token.token_id)
    world.source.mint("two", world.now() + HOUR)

    assert world.requests("zones") == before


def test_a_zone_that_is_not_there_is_a_certain_no_before_anything_is_minted():
    options = {"grants": [{"permissions": ["DNS Write"], "zones": ["example.dev"]}]}
    with sandbox_world("account", options) as world:
        with pytest.raises(Refused, match=r"example\.dev") as caught:
            world.source.mint("one", world.now() + HOUR)
        assert caught.value.code == "zone"
        assert world.requests("create") == 0
        with pytest.raises(Unavailable):
            world.source.get(world.management_id)


def test_when_zones_cannot_be_looked_up_nothing_is_minted(world: SandboxWorld):
    world.fault("zones", "break")
    with pytest.raises(Unavailable):
        world.source.mint("one", world.now() + HOUR)

    assert world.requests("create") == 0


def test_an_expiry_beyond_all_calendars_is_refused_before_anything_is_sent(world: SandboxWorld):
    with pytest.raises(Refused):
        world.source.mint("one", 1e15)

    assert world.requests("create") == 0


def test_a_value_that_the_provider_quotes_in_an_error_is_not_repeated(world: SandboxWorld, token: Minted):
    world.fault("delete", **status(400, code=6003, message=f"bad header: Bearer {world.management}"))

    with pytest.raises(Refused) as caught:
        world.source.delete(token.token_id)
    assert world.management not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


def test_nothing_that_is_logged_holds_a_value_or_an_id(
    world: SandboxWorld, caplog: pytest.LogCaptureFixture, token: Minted
):
    caplog.set_level("DEBUG", logger="root")
    rolled = world.source.roll(token.token_id)
    world.source.get(token.token_id)

    for canary in (token.value.reveal(), rolled.value.reveal(), world.management, token.token_id):
        assert canary not in caplog.text
        assert canary not in repr(rolled) or canary == token.token_id
