"""Every kind of fault that the sandbox has, at every request of the source: the right error, and the right world after.

One request with an effect reaches the provider, whatever happens; what is there afterwards is asked of the provider.
"""

import json
from collections.abc import Iterator

import pytest

from rotator.core.credential import NEVER
from rotator.core.errors import OutcomeUnknown, RateLimited, Refused, RotatorError, Unavailable
from rotator.core.ports.source import Minted
from rotator.core.secret import Secret
from rotator.sources.cloudflare.source import CloudflareSource
from tests.contract.source.contract import EFFECTS, HOUR, READS, act, applied
from tests.contract.source.sandbox_world import SandboxWorld, sandbox_world

CANARY = "cfat_" + "CANARY" * 8


@pytest.fixture
def world() -> Iterator[SandboxWorld]:
    with sandbox_world("account") as world:
        yield world


@pytest.fixture
def token(world: SandboxWorld) -> Minted:
    world.source.control()
    return world.source.mint("one", world.now() + HOUR)


def status(number: int, **more: object) -> dict[str, object]:
    return {"kind": "status", "status": number, **more}


HTML = "<html><body>error</body></html>"

# fault -> (error of an effect, whether it was done, error of a read; None where it succeeds)
FAULTS: dict[str, tuple[dict[str, object], type[RotatorError] | None, bool, type[RotatorError] | None]] = {
    "lost request": ({"kind": "lose_request"}, OutcomeUnknown, False, Unavailable),
    "lost answer": ({"kind": "lose_answer"}, OutcomeUnknown, True, Unavailable),
    "late": ({"kind": "late", "seconds": 3600}, OutcomeUnknown, False, Unavailable),
    "delayed": ({"kind": "delay", "seconds": 0.05}, None, True, None),
    "cut off": ({"kind": "truncate"}, OutcomeUnknown, True, Unavailable),
    "html with 200": ({"kind": "garbage"}, OutcomeUnknown, True, Unavailable),
    "500": (status(500), OutcomeUnknown, False, Unavailable),
    "502 html": (status(502, body=HTML), OutcomeUnknown, False, Unavailable),
    "524 html": (status(524, body=HTML), OutcomeUnknown, False, Unavailable),
    "408": (status(408), OutcomeUnknown, False, Unavailable),
    "400 internal": (status(400, code=1000, message="Internal Server Error"), OutcomeUnknown, False, Unavailable),
    "403 internal": (status(403, code=10001, message="internal error"), OutcomeUnknown, False, Unavailable),
    "403 html": (status(403, body=HTML), OutcomeUnknown, False, Unavailable),
    "404 html": (status(404, body=HTML), OutcomeUnknown, False, Unavailable),
    "400": (status(400), Refused, False, Unavailable),
    "200 no": (status(200, code=1234, message="no"), Refused, False, Unavailable),
    "403 method": (status(403, code=10001, message="Method not allowed for token"), Refused, False, Unavailable),
    "409": (status(409, code=1009, message="conflict"), Refused, False, Unavailable),
    "429": (status(429), RateLimited, False, RateLimited),
    "429 null": (status(429, body="null"), RateLimited, False, RateLimited),
    "429 empty": (status(429, body=""), RateLimited, False, RateLimited),
    "400 with 971": (status(400, code=971, message="Please wait"), RateLimited, False, RateLimited),
    "lockout": (status(403, code=9109, message="Max auth failures reached"), RateLimited, False, RateLimited),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("operation", EFFECTS)
def test_an_effect_under_a_fault(world: SandboxWorld, token: Minted, operation: str, name: str):
    fault, error, done, _ = FAULTS[name]
    before, tokens = world.requests(operation), len(world.seen())
    world.fault(operation, **fault)

    if error is None:
        act(world, operation, token)
    else:
        with pytest.raises(RotatorError) as caught:
            act(world, operation, token)
        assert type(caught.value) is error

    # A late request is recorded when it is done, an hour from now.
    assert world.requests(operation) == before + (name != "late")
    assert world.sandbox.gateway.faults.list()[-1]["hits"] == 1
    assert applied(world, operation, token, token.expires_at) is done
    assert len(world.seen()) == tokens + (operation == "create" and done)


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("operation", READS)
def test_a_read_under_a_fault(world: SandboxWorld, token: Minted, operation: str, name: str):
    fault, _, _, error = FAULTS[name]
    if operation == "verify" and name == "400":
        fault = status(400, code=7000, message="No route for that URI")
    world.fault(operation, **fault)

    if error is None:
        act(world, operation, token)
    else:
        with pytest.raises(RotatorError) as caught:
            act(world, operation, token)
        assert type(caught.value) is error


def test_the_answer_of_a_doubled_create_is_the_token_that_it_names(world: SandboxWorld, token: Minted):
    """A proxy's repetition makes a twin of the same name; the sweep finds it, and ids keep them apart."""
    world.fault("create", "twin")
    minted = world.source.mint("twice", world.now() + HOUR)

    twins = [t for t in world.seen() if t.name == "twice"]
    assert len(twins) == 2
    assert world.alive(minted.value) == minted.token_id
    assert minted.token_id in {t.id for t in twins}


def test_a_doubled_roll_answers_with_a_value_that_is_dead_already(world: SandboxWorld, token: Minted):
    world.fault("roll", "twin")
    rolled = world.source.roll(token.token_id)

    assert rolled.token_id == token.token_id
    assert world.alive(rolled.value) is None


@pytest.mark.parametrize("operation", ["update", "delete"])
def test_a_doubled_update_or_delete_is_as_good_as_one(world: SandboxWorld, token: Minted, operation: str):
    world.fault(operation, "twin")
    act(world, operation, token)

    assert applied(world, operation, token, token.expires_at)


# --------------------------------------------------------------------------------------------------------- reads before
@pytest.mark.parametrize("act_on", ["roll", "disable", "extend"])
@pytest.mark.parametrize("kind", ["lose_request", "lose_answer", "garbage", "truncate", "break"])
def test_when_the_read_before_an_effect_fails_the_effect_is_never_sent(
    world: SandboxWorld, token: Minted, act_on: str, kind: str
):
    world.fault("get", kind)
    more = (world.now() + 5 * HOUR,) if act_on == "extend" else ()
    with pytest.raises(Unavailable):
        getattr(world.source, act_on)(token.token_id, *more)

    assert world.requests("roll") == world.requests("update") == 0


@pytest.mark.parametrize("act_on", ["roll", "disable", "delete"])
def test_while_nobody_knows_who_the_management_token_is_nothing_is_destroyed(world: SandboxWorld, act_on: str):
    token = world.source.mint("one", world.now() + HOUR)
    world.fault("verify", "break")

    with pytest.raises(Unavailable):
        getattr(world.source, act_on)(token.token_id)
    assert world.requests("roll") == world.requests("update") == world.requests("delete") == 0


def test_who_the_management_token_is_is_asked_once_per_value(world: SandboxWorld, token: Minted):
    other = world.source.mint("two", world.now() + HOUR)
    before = world.requests("verify")
    world.source.disable(token.token_id)
    world.source.delete(token.token_id)
    assert world.requests("verify") == before

    world.management = world.sandbox.credentials["account-standby"]
    world.source.delete(other.token_id)
    assert world.requests("verify") == before + 1
    assert world.source.principal == world.sandbox.world.roles["account-standby"]


def test_a_dead_management_token_is_a_certain_no_that_says_what_to_do(world: SandboxWorld, token: Minted):
    world.management = CANARY

    assert world.source.control() is False
    for attempt in (
        lambda: world.source.mint("never", world.now() + HOUR),
        lambda: world.source.delete(token.token_id),
        lambda: world.source.roll(token.token_id),
    ):
        with pytest.raises(Refused) as caught:
            attempt()
        assert caught.value.code == "management_token"
        assert "rotator check" in caught.value.remedy
        assert "CANARY" not in f"{caught.value!r}{vars(caught.value)}"
    with pytest.raises(Unavailable):
        world.source.get(token.token_id)
    assert world.requests("delete") == world.requests("roll") == 0


def test_a_management_token_without_permission_is_a_certain_no(world: SandboxWorld, token: Minted):
    world.management = token.value.reveal()  # it may do all kinds of things, but manage no tokens

    with pytest.raises(Refused) as caught:
        world.source.mint("never", world.now() + HOUR)
    assert caught.value.code == "permission"


def test_the_first_verification_of_an_actor_that_is_told_no_by_mistake_destroys_nothing(
    world: SandboxWorld, token: Minted
):
    world.management = world.sandbox.credentials["account-standby"]
    world.fault("verify", **status(403))

    with pytest.raises(Refused):
        world.source.delete(token.token_id)
    world.source.delete(token.token_id)


# ---------------------------------------------------------------------------------------------------------- gone or not
def test_a_404_that_is_no_envelope_is_not_taken_for_a_token_that_is_gone(world: SandboxWorld, token: Minted):
    world.fault("get", **status(404, body=HTML))
    with pytest.raises(Unavailable):
        world.source.get(token.token_id)

    world.fault("delete", **status(404, body=HTML))
    with pytest.raises(OutcomeUnknown):
        world.source.delete(token.token_id)


def test_an_api_address_that_leads_nowhere_makes_no_token_look_dead(world: SandboxWorld, token: Minted):
    astray = world.connect(world.sandbox.url.replace("/client/v4", "/client/v5"))
    source = CloudflareSource(astray, world.source._options)

    with pytest.raises(Unavailable, match="7000"):
        source.get(token.token_id)
    with pytest.raises(Unavailable):
        source.verify(token.value)
    astray.close()


def test_what_could_not_be_routed_is_gone_only_where_the_same_path_has_worked(world: SandboxWorld, token: Minted):
    old_way = status(404, code=7003, message="Could not route to /tokens/…, perhaps your object identifier is invalid?")
    fresh = world.connect(world.sandbox.url)
    source = CloudflareSource(fresh, world.source._options)

    world.fault("get", **old_way)
    with pytest.raises(Unavailable):
        source.get(token.token_id)

    source.get(token.token_id)
    world.fault("get", **old_way)
    assert source.get(token.token_id) is None
    fresh.close()


def test_a_token_that_disappears_between_looking_and_disabling_is_a_success(world: SandboxWorld, token: Minted):
    world.fault("update", **status(404))

    world.source.disable(token.token_id)


def test_who_disables_a_token_that_he_has_just_read_does_not_read_it_again(world: SandboxWorld, token: Minted):
    world.source.get(token.token_id)
    before = world.requests("get")
    world.source.disable(token.token_id)

    found = world.source.get(token.token_id)
    assert found is not None
    assert (found.status, found.equal, found.expires_at) == ("disabled", True, token.expires_at)
    assert world.requests("get") == before + 1


def test_what_was_read_of_another_token_or_long_ago_is_never_the_body_of_an_update(
    world: SandboxWorld, token: Minted, monkeypatch: pytest.MonkeyPatch
):
    other = world.source.mint("two", world.now() + HOUR)
    world.source.get(token.token_id)
    before = world.requests("get")
    world.source.disable(other.token_id)
    assert world.requests("get") == before + 1

    world.source.get(token.token_id)
    monkeypatch.setattr("rotator.sources.cloudflare.source.JUST_READ", -1.0)
    world.source.disable(token.token_id)
    assert world.requests("get") == before + 3


def test_deleting_what_cloudflare_owns_is_refused(world: SandboxWorld, token: Minted):
    world.sandbox.world.tokens[token.token_id].managed = True

    with pytest.raises(Refused) as caught:
        world.source.delete(token.token_id)
    assert caught.value.code == "managed"


def test_a_revoked_token_is_dead_whatever_its_status_is_called(world: SandboxWorld, token: Minted):
    world.sandbox.world.tokens[token.token_id].exposed = True

    found = world.source.get(token.token_id)
    assert found is not None
    assert (found.status, found.active) == ("revoked (exposed)", False)
    assert world.source.verify(token.value) is None
    world.source.disable(token.token_id)
    assert world.requests("update") == 0


@pytest.mark.parametrize("token_id", ["", "..", "a/b", "x" * 65, "verify?x=1"])
def test_what_is_not_an_id_never_becomes_a_path(world: SandboxWorld, token_id: str):
    world.source.control()
    with pytest.raises(Unavailable):
        world.source.get(token_id)
    with pytest.raises(Refused):
        world.source.delete(token_id)
    assert world.requests("delete") == world.requests("get") == world.requests("list") == 0


# --------------------------------------------------------------------------------------------------- what a verify says
@pytest.mark.parametrize(
    "answer",
    [
        status(401),
        status(400, code=6003, message="Invalid request headers"),
        status(403),
        status(403, code=9109, message="Unauthorized to access requested resource"),
        status(401, code=9109, message="Invalid access token"),
    ],
)
def test_an_answer_that_does_not_accept_a_value_is_none(world: SandboxWorld, token: Minted, answer: dict[str, object]):
    world.fault("verify", **answer)

    assert world.source.verify(token.value) is None


def test_an_address_restriction_that_shuts_us_out_is_not_taken_for_death(world: SandboxWorld, token: Minted):
    world.sandbox.world.tokens[token.token_id].condition = {"request_ip": {"in": ["203.0.113.7"]}}

    with pytest.raises(Unavailable) as caught:
        world.source.verify(token.value)
    assert "request_ip" in caught.value.remedy


def test_a_value_that_no_header_can_carry_is_nobodys_token(world: SandboxWorld):
    before = world.requests("verify")

    assert world.source.verify(Secret("change me")) is None
    assert world.requests("verify") == before


def test_a_token_of_the_other_kind_of_owner_is_not_accepted(world: SandboxWorld):
    assert world.source.verify(Secret(world.sandbox.credentials["user-standby"])) is None


# ---------------------------------------------------------------------------------------------------------- how to wait
@pytest.mark.parametrize(
    "said, wait", [(None, 300), (42, 42), (0, 300), (10**9, 3600), ("soon", 300), (-5, 300), ("", 300)]
)
def test_a_429_stops_the_connection_for_as_long_as_it_says(
    world: SandboxWorld, token: Minted, said: object, wait: float
):
    world.fault("create", **status(429, retry_after=said))

    with pytest.raises(RateLimited) as caught:
        world.source.mint("later", world.now() + HOUR)
    assert caught.value.retry_after == wait
    assert world.budget.stopped == [wait]


def test_a_429_may_name_a_date(world: SandboxWorld, token: Minted):
    from email.utils import formatdate

    world.fault("get", **status(429, retry_after=formatdate(world.now() + 90, usegmt=True)))

    with pytest.raises(RateLimited) as caught:
        world.source.get(token.token_id)
    assert 85 <= caught.value.retry_after <= 90


def test_a_lockout_stops_the_connection_for_ten_minutes(world: SandboxWorld, token: Minted):
    world.fault("verify", **status(403, code=9109, message="Max auth failures reached"))

    with pytest.raises(RateLimited):
        world.source.verify(token.value)
    assert world.budget.stopped == [600.0]


def test_the_last_request_of_the_providers_own_count_stops_the_connection(world: SandboxWorld, token: Minted):
    world.sandbox.world.settings.rate_limit = (2, 300.0)
    world.source.get(token.token_id)
    assert world.budget.stopped == []

    world.source.get(token.token_id)
    assert len(world.budget.stopped) == 1
    assert 0 < world.budget.stopped[0] <= 300


def test_a_spent_budget_sends_nothing(world: SandboxWorld, token: Minted):
    world.budget.empty = True
    for operation in (*EFFECTS, *READS):
        before = world.requests(operation)
        with pytest.raises(RateLimited):
            act(world, operation, token)
        assert world.requests(operation) == before


def test_every_request_says_how_long_it_can_wait(world: SandboxWorld, token: Minted):
    from rotator.core.ports.runtime import Priority

    def asked(operation: str) -> list[Priority]:
        before = len(world.budget.taken)
        act(world, operation, token)
        return world.budget.taken[before:]

    assert asked("create") == [Priority.START]
    assert asked("list") == [Priority.WATCH]
    assert asked("get") == asked("verify") == [Priority.FINISH]
    assert asked("update") == asked("roll") == [Priority.FINISH, Priority.FINISH]
    assert asked("delete") == [Priority.FINISH]
    before = len(world.budget.taken)
    world.connection.inventory("account")
    assert world.budget.taken[before:] == [Priority.SWEEP]


# --------------------------------------------------------------------------------------------------------- what is told
def test_the_observer_hears_of_every_request_and_of_the_providers_time(world: SandboxWorld, token: Minted):
    world.source.get(token.token_id)
    world.told.clear()
    world.source.get(token.token_id)
    world.fault("get", "lose_answer")
    with pytest.raises(Unavailable):
        world.source.get(token.token_id)
    world.source.delete(token.token_id)
    world.source.get(token.token_id)

    assert world.told == [("get", "200"), ("get", "lost"), ("delete", "200"), ("get", "404")]
    assert abs(world.dates[-1] - world.now()) <= 2


def test_nothing_is_told_between_a_minted_value_and_its_caller(world: SandboxWorld, token: Minted):
    world.source.get(token.token_id)
    world.told.clear()
    dates = len(world.dates)

    world.source.mint("two", world.now() + HOUR)
    assert world.told == []
    assert len(world.dates) == dates

    world.source.get(token.token_id)
    assert world.told == [("create", "200"), ("get", "200")]


# -------------------------------------------------------------------------------------------------------- what is equal
@pytest.mark.parametrize("change", ["policy", "more", "condition", "no condition", "empty"])
def test_a_token_that_somebody_changed_is_not_equal(world: SandboxWorld, token: Minted, change: str):
    there = world.sandbox.world.tokens[token.token_id]
    if change == "policy":
        there.policies[0]["effect"] = "deny"
    elif change == "more":
        there.policies[0]["permission_groups"].append({"id": "c1fde68c7bcc44588cbb6ddbc16d6480"})
    elif change == "condition":
        there.condition = {"request_ip": {"in": ["198.51.100.0/24"]}}
    elif change == "no condition":
        there.condition = None
    else:
        there.policies.clear()

    found = world.source.get(token.token_id)
    assert found is not None
    assert found.active
    assert not found.equal


def test_a_change_of_the_expiry_or_the_name_is_no_change_of_grants(world: SandboxWorld, token: Minted):
    there = world.sandbox.world.tokens[token.token_id]
    there.name, there.expires_on = "renamed", world.now() + 9 * HOUR

    found = world.source.get(token.token_id)
    assert found is not None
    assert found.equal


def test_extending_keeps_the_changes_that_somebody_else_made(world: SandboxWorld, token: Minted):
    there = world.sandbox.world.tokens[token.token_id]
    there.name, there.not_before = "renamed", world.now() - 100
    there.condition = {"request_ip": {"in": ["127.0.0.0/8"]}}
    world.source.extend(token.token_id, world.now() + 5 * HOUR)

    assert there.name == "renamed"
    assert there.condition == {"request_ip": {"in": ["127.0.0.0/8"]}}
    assert there.not_before is not None
    assert int(there.not_before) == int(world.now() - 100) or abs(there.not_before - world.now() + 100) < 5


# ---------------------------------------------------------------------------------------------------------------- lists
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


# ------------------------------------------------------------------------------------------------------- odd successes
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


# ---------------------------------------------------------------------------------------------------------------- zones
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


# --------------------------------------------------------------------------------------------------- what must not leak
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
