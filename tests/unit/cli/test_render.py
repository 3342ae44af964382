"""What people see at 80 columns, line by line."""

import pytest

from rotator.cli import status_text
from rotator.core.choices import CHOICES, How
from rotator.core.reasons import OperatorCode
from tests.unit.cli.documents import NOW, connection, credential, needs, status, target
from tests.unit.cli.rendered import WIDTH, expected, shown


def test_a_fleet_is_a_table_with_what_is_wrong_below_each_row():
    document = status(
        credential(),
        credential("d1-backup", state="needs_operator", ready=False, needs_operator=needs(), generation=12),
        credential("dns", state="rotating", message="rotating: publishing (write vault:secret/dns)"),
        credential("new", state="uninitialized", ready=False, generation=0, token_id=None, token_name=None)
        | {"expires_on": None, "next_rotation": None, "message": "nothing was published yet"}
        | {"targets": [target(in_sync=None, generation=0)]},
    )
    assert shown(status_text.status(document, WIDTH)) == expected("""
        4 credentials: 1 needs_operator, 1 uninitialized, 1 rotating, 1 idle, 2 not
          ready
        CREDENTIAL      STATE           READY  GEN  EXPIRES  ROTATES  TARGETS
        d1-backup       needs_operator  no      12  in 90 d  in 61 d  2/2
          somebody else changed the managed key at env_file:/srv/app/.env
          do: somebody changed a managed key; `rotator resolve d1-backup --retry`
            restores ours, `--accept` keeps theirs
        new             uninitialized   no       -  -        -        0/1
        dns             rotating        yes      3  in 90 d  in 61 d  2/2
          rotating: publishing (write vault:secret/dns)
        workers-deploy  idle            yes      3  in 90 d  in 61 d  2/2

        connection prod: reachable, 288 requests left, 31 of 500 tokens, management
          token expires in 40 d
        daemon: process 17 on web1, last sign of life now
        """)


def test_a_failing_credential_says_why_and_when_it_is_tried_again():
    failing = credential(state="failing", message="rotating: planned (502)", next_attempt="2026-11-22T10:02:00Z")
    assert shown(status_text.status(status(failing), WIDTH)).splitlines()[3:5] == [
        "  rotating: planned (502)",
        "  next attempt in 2 min",
    ]


def test_a_pause_says_until_when_by_whom_and_why():
    paused = {"since": NOW, "until": "2026-11-22T14:00:00Z", "reason": "release freeze", "actor": "alice"}
    drawn = shown(status_text.status(status(credential(state="paused", paused=paused)), WIDTH))
    assert "  paused until 2026-11-22 14:00:00 UTC, in 4 h, by alice: release freeze\n" in drawn


def test_a_pause_without_an_end_names_the_verb_that_ends_it():
    paused = {"since": NOW, "until": None, "reason": None, "actor": "alice"}
    assert "until `rotator resume`" in shown(
        status_text.status(status(credential(state="paused", paused=paused)), WIDTH)
    )


def test_a_retirement_that_is_held_is_said_and_an_ordinary_wait_is_not():
    held = {"token_id": "ab" * 16, "step": "open", "until": None, "blocked": "still_used", "last_used_on": NOW}
    waits = {**held, "token_id": "cd" * 16, "blocked": "grace"}
    drawn = shown(status_text.status(status(credential(retirements=[held, waits])), WIDTH))
    assert "retirement of abababab… is held: still_used, last used now" in drawn
    assert "cdcdcdcd" not in drawn


def test_a_token_without_expiry_never_expires():
    row = shown(status_text.status(status(credential(expires_on=None)), WIDTH)).splitlines()[2]
    assert "never" in row.split()


def test_a_connection_that_is_out_of_reach_says_what_is_wrong():
    broken = connection(reachable=False, problem="asking who the management token is: 403", rate_remaining=None)
    drawn = shown(status_text.status(status(credential(), connections=[broken]), WIDTH))
    assert "connection prod: out of reach" in drawn
    assert "  asking who the management token is: 403" in drawn


def test_a_fleet_without_a_daemon_or_with_orphans_says_so():
    drawn = shown(status_text.status(status(credential(), daemons=[], orphans=2), WIDTH))
    assert "orphans: 2" in drawn
    assert "daemon: none runs on this journal" in drawn


def test_an_empty_configuration_is_said_in_words():
    assert shown(status_text.status(status(), WIDTH)).startswith("no credentials are configured\n")


def test_off_a_terminal_each_credential_is_one_line_however_long():
    long = credential("n" * 63, state="failing", message="because " * 40)
    assert len(shown(status_text.status(status(long), None)).splitlines()) == 7


def test_a_request_that_nobody_serves_yet_says_who_asked_and_why():
    request = {"id": "ab12", "by": "alice", "at": "2026-11-22T09:59:55Z", "reason": "left on a bus"}
    line = "rotation requested 5 s ago by alice: left on a bus"
    assert f"  {line}\n" in shown(status_text.status(status(credential(request=request)), WIDTH))
    assert "5 s ago by alice: left on a bus" in shown(
        status_text.status_of(status(credential(request=request)), "workers-deploy", WIDTH)
    )


def test_a_failed_act_says_what_to_do_below_it():
    problem = {"act": "mint", "message": "creating a token: no", "remedy": "free a slot"}
    failing = credential(state="failing", message="rotating: planned (creating a token: no)", problem=problem)
    assert shown(status_text.status(status(failing), WIDTH)).splitlines()[3:5] == [
        "  rotating: planned (creating a token: no)",
        "  do: free a slot",
    ]


def test_a_failed_write_says_what_to_do_below_its_target():
    problem = {"act": "write", "message": "/srv/app/.env cannot be written: read-only", "remedy": "mount it writable"}
    failing = credential(state="failing", message="rotating", targets=[target(in_sync=False, problem=problem)])
    assert "  do: mount it writable\n" in shown(status_text.status(status(failing), WIDTH))


def test_an_accepted_value_says_by_whom_and_how_to_end_it():
    theirs = target(in_sync=False, accepted={"by": "alice", "at": "2026-11-22T09:00:00Z"})
    drawn = shown(status_text.status(status(credential(targets=[theirs])), None))
    assert "accepted by alice at 2026-11-22 09:00:00 UTC; `resolve --undo` ends that" in drawn


def test_a_target_that_will_delete_the_value_says_when():
    found = status(credential(targets=[target(ends="2026-11-22T11:00:00Z")]))
    for drawn in (status_text.status(found, None), status_text.status_of(found, "workers-deploy", None)):
        assert "app/.env will delete what stands there at 2026-11-22 11:00:00 UTC" in shown(drawn)


def test_a_retirement_that_a_target_holds_up_names_the_target():
    held = {"token_id": "ab" * 16, "step": "open", "until": None, "blocked": "still_published", "last_used_on": None}
    held |= {"subject": "vault:a", "message": "vault:a still holds the old value"}
    drawn = shown(status_text.status(status(credential(retirements=[held])), None))
    assert "is held: still_published: vault:a still holds the old value\n" in drawn


def test_an_idle_credential_that_is_due_or_out_of_sync_says_so():
    due = credential(next_rotation="2026-11-22T09:00:00Z", message="due for rotation")
    strayed = credential("other", message="out of sync: x", targets=[target(in_sync=False)])
    drawn = shown(status_text.status(status(credential("calm"), due, strayed), WIDTH))
    assert "  due for rotation\n" in drawn
    assert "  out of sync: x\n" in drawn
    assert "fresh" not in drawn


def many(number, **more):
    return [credential(f"c{i:03}", **more) for i in range(number)]


def test_of_a_large_fleet_whatever_is_in_trouble_is_shown_and_the_rest_is_counted():
    document = status(*many(300), credential("zz", state="failing", message="why"))
    drawn = shown(status_text.status(document, WIDTH, most=40))
    assert drawn.splitlines()[0] == "301 credentials: 1 failing, 300 idle"
    assert drawn.splitlines()[2].startswith("zz ")
    assert "and 261 more, all of them fresh" in drawn
    assert len(shown(status_text.status(document, WIDTH)).splitlines()) > 301


def test_a_fleet_may_keep_the_order_of_its_document():
    found = status(credential("b"), credential("a", state="failing"))
    for worst_first, names in ((False, ["b", "a"]), (True, ["a", "b"])):
        drawn = shown(status_text.status(found, None, worst_first=worst_first)).splitlines()
        assert [line.split()[0] for line in drawn if line.startswith(("a ", "b "))] == names


def test_trouble_beyond_the_limit_is_not_cut():
    drawn = shown(status_text.status(status(*many(60, state="failing", message="why")), WIDTH, most=40))
    assert "c059" in drawn
    assert "more" not in drawn


@pytest.mark.parametrize("height", [8, 12, 24, 50])
def test_a_live_picture_fits_its_terminal_and_keeps_trouble_and_foot(height):
    document = status(*many(300), credential("zz", state="failing", message="why"))
    lines = shown(status_text.status(document, WIDTH, height)).splitlines()
    assert len(lines) <= height
    assert lines[0].startswith("301 credentials")
    assert lines[-1].startswith("daemon: ")
    assert height < 12 or any(line.startswith("zz ") for line in lines)


@pytest.mark.parametrize("height", [9, 12, 24])
@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("number", [0, 1, 12, 300])
def test_a_live_picture_fits_also_with_many_connections(width, height, number):
    away = connection(name="away", reachable=False, problem="no route")
    document = status(*many(number), connections=[*(connection(name=f"c{n}") for n in range(30)), away])
    lines = shown(status_text.status(document, width, height)).splitlines()
    assert len(lines) <= height
    assert any(line.startswith("connection away: out of reach") for line in lines)


@pytest.mark.parametrize("width", [40, 51, 52, 60, 69, 70, 80])
def test_no_line_of_a_fleet_is_wider_than_its_terminal(width):
    stuck = credential("workers-deploy-of-the-web-team", state="needs_operator", ready=False, needs_operator=needs())
    lines = shown(status_text.status(status(*many(300), stuck), width, most=40)).splitlines()
    assert [line for line in lines if len(line) > width] == []


def test_a_narrow_terminal_says_not_ready_in_words():
    stuck = credential("d1", state="needs_operator", ready=False, needs_operator=needs())
    lines = shown(status_text.status(status(stuck), 40)).splitlines()
    assert lines[lines.index(next(line for line in lines if line.startswith("d1 "))) + 1] == "  not ready"


def test_a_low_terminal_keeps_those_in_trouble_in_another_order_too():
    document = status(*many(30), credential("zz", state="failing", message="why"))
    lines = shown(status_text.status(document, WIDTH, 12, worst_first=False)).splitlines()
    assert any(line.startswith("zz ") for line in lines)
    names = [line.split()[0] for line in lines if line.startswith(("c0", "zz "))]
    assert names == sorted(names)


def test_one_credential_is_shown_in_full():
    rotation = {
        "id": "77ec1ecf0ddc",
        "step": "publishing",
        "strategy": "recreate",
        "started": "2026-11-22T09:59:00Z",
        "attempt": 1,
        "waiting_until": "2026-11-22T10:00:30Z",
        "reason": "write vault:secret/ci/cloudflare",
    }
    retirement = {"token_id": "ab" * 16, "step": "open", "until": None, "blocked": "still_used", "last_used_on": NOW}
    document = status(
        credential(state="rotating", message="rotating: publishing", rotation=rotation, retirements=[retirement])
        | {"targets": [target(), target("vault:secret/ci/cloudflare", in_sync=False, generation=0, required=False)]}
    )
    assert shown(status_text.status_of(document, "workers-deploy", WIDTH)) == expected("""
        workers-deploy
          state          rotating
          message        rotating: publishing
          ready          yes: a live value stands at every required target
          strategy       recreate, account token of connection prod
          generation     3
          token          0123456789abcdef0123456789abcdef
          token name     workers-deploy~ece208f1.77ec1ecf0ddc.1.1x706a
          expires        2027-02-20 10:00:00 UTC, in 90 d
          next rotation  2027-01-22 10:00:00 UTC, in 61 d
          deadline       2027-02-20 09:56:00 UTC, in 90 d
          last success   2026-11-19 10:00:00 UTC, 3 d ago

        rotation
          id           77ec1ecf0ddc
          step         publishing
          started      2026-11-22 09:59:00 UTC, 60 s ago
          attempt      1
          waits until  2026-11-22 10:00:30 UTC, in 30 s
          reason       write vault:secret/ci/cloudflare

        TARGET                      REQUIRED  IN SYNC  GEN
        env_file:/srv/app/.env      yes       yes        3
        vault:secret/ci/cloudflare  no        no         -

        RETIREMENT OF TOKEN               STEP  UNTIL  WAITS FOR   LAST USED
        abababababababababababababababab  open  -      still_used  now
        """)


def test_who_needs_an_operator_is_told_what_each_choice_would_do():
    document = status(credential(state="needs_operator", needs_operator=needs()))
    drawn = shown(status_text.status_of(document, "workers-deploy", WIDTH))
    assert drawn[drawn.index("needs an operator") :] == expected("""
        needs an operator: target_overridden
          somebody else changed the managed key at env_file:/srv/app/.env
          since 2026-11-22 08:00:00 UTC, 2 h ago
          rotator resolve workers-deploy --retry
            restores our value over what somebody else wrote there
          rotator resolve workers-deploy --accept
            keeps what somebody else wrote: where its token is the one that the
            credential names in `adopt`, it becomes the current one and goes to the
            other targets; any other is left alone until it changes, the target is not
            in sync meanwhile, and `--undo` takes it back
          rotator resolve workers-deploy --abandon
            closes the open rotation; what is published stays, a token minted and never
            published is retired; the target is looked at again and asks again while the
            foreign value stands
        """)


@pytest.mark.parametrize("code", CHOICES)
def test_every_code_of_needs_operator_has_its_choices(code):
    choices = CHOICES[code]
    assert choices.of(How.RETRY)
    assert choices.of(How.ABANDON)


def test_there_are_no_choices_for_codes_that_do_not_exist():
    assert CHOICES.keys() == set(OperatorCode) - {OperatorCode.NEWER_VERSION}


def test_a_choice_that_does_not_apply_is_marked():
    document = status(credential(state="needs_operator", needs_operator=needs("rejected")))
    drawn = shown(status_text.status_of(document, "workers-deploy", WIDTH)).splitlines()
    assert drawn[drawn.index("  rotator resolve workers-deploy --accept") + 1] == "    does not apply here"
