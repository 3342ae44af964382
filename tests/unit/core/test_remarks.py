"""What is said of one credential of the document, and which of two is the worse."""

import pytest

from rotator.core.remarks import STATES, Remark, calm, drifted, rank, remarks
from rotator.core.times import drawn_at, moment
from tests.unit.cli.documents import NOW, credential, target

AT = moment(NOW)


def said(**more):
    return [one.text for one in remarks(credential(**more), AT)]


def test_of_a_fresh_credential_nothing_is_said():
    assert said() == []
    assert calm(credential(), AT)


def test_a_failing_one_comes_before_a_fresh_one_that_ends_sooner():
    soon = credential("soon", expires_on="2026-11-22T11:00:00Z")
    failing = credential("failing", state="failing")
    assert sorted([soon, failing], key=lambda one: rank(one, AT)) == [failing, soon]


def test_a_state_that_this_version_does_not_know_comes_last():
    assert rank(credential(state="dancing"), AT)[0] == len(STATES)


def test_a_fresh_one_with_something_to_say_comes_before_a_fresh_one():
    strayed = credential("z", targets=[target(in_sync=False)], message="out of sync")
    assert rank(strayed, AT) < rank(credential("a"), AT)


@pytest.mark.parametrize(
    ("by", "fix", "what"),
    [
        ("provider", "update", "changed at the provider (it is updated in place)"),
        ("configuration", "rotate", "the configuration asks for another token (it is rotated)"),
        ("provider", "report", "changed at the provider"),
    ],
)
def test_drift_says_who_changed_what_and_what_is_done(by, fix, what):
    drift = {"by": by, "fix": fix, "differences": [{"part": "name", "message": "the name is another"}]}
    assert drifted(drift) == what
    assert Remark(f"{what}: the name is another", "warn") in remarks(credential(drift=drift), AT)


def test_drift_that_nothing_is_done_about_says_what_a_person_can_do():
    drift = {"by": "provider", "fix": "none", "remedy": "change it back", "differences": []}
    assert Remark("do: change it back") in remarks(credential(drift=drift), AT)


@pytest.mark.parametrize("remedy", ["start the service", None])
def test_a_hook_that_fails_is_said_with_its_target_and_what_to_do(remedy):
    hooks = {"state": "failing", "message": "exit code 1", "remedy": remedy}
    found = said(targets=[target("app", after_publish=hooks)])
    assert found[0] == "app: after_publish failed and is tried again: exit code 1"
    assert found[1:] == ([f"do: {remedy}"] if remedy else [])


def test_a_hook_that_ran_is_not_mentioned():
    assert said(targets=[target(after_publish={"state": "done"})]) == []


def test_a_target_that_will_delete_what_stands_there_says_when():
    found = said(targets=[target("vault:a", ends="2026-11-23T10:00:00Z")])
    assert found == ["vault:a will delete what stands there at 2026-11-23 10:00:00 UTC"]


def test_the_document_says_when_it_was_drawn():
    assert drawn_at({"time": NOW}) == AT
    assert drawn_at({"time": None}) == 0.0


def test_a_revoke_is_told_while_it_is_unfinished():
    leak = {"at": NOW, "by": "ops", "reason": None, "exposed": False, "unfinished": True}

    assert any("by ops: its tokens are being ended" in text for text in said(revoked=leak))
    assert said(revoked={**leak, "unfinished": False}) == []
