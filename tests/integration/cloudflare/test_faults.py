"""Every kind of fault that the sandbox has, at every request of the source: the right error, and the right world after.

One request with an effect reaches the provider, whatever happens; what is there afterwards is asked of the provider.
"""

import pytest

from rotator.core.errors import OutcomeUnknown, RateLimited, Refused, RotatorError, Unavailable
from rotator.core.ports.source import Minted
from rotator.core.secret import Secret
from rotator.sources.cloudflare.source import CloudflareSource
from tests.contract.source.contract import EFFECTS, HOUR, READS, act, applied
from tests.contract.source.sandbox_world import SandboxWorld
from tests.integration.cloudflare.faulty import CANARY, status

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
