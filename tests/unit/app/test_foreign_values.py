"""What others write to a target, against the real provider's rules, files and journal: what is sent, kept, written."""

import pytest

from rotator.app.changes import changes
from rotator.app.once import once
from rotator.app.reload import reload
from rotator.core.credential import State
from rotator.core.events import Event

KEY, ACCOUNT = "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID"
OURS = "a0000000000000000000000000000001"
PLAIN = [{"type": "env_file", "path": "workers-deploy.env", "keys": {"API_TOKEN": "token.value"}}]


@pytest.fixture
def file(place):
    return place.folder / "workers-deploy.env"


def status(app):
    [found] = app.queries.statuses()
    return found


@pytest.fixture
def verified(monkeypatch):
    """Every text that the source sent to the provider to be verified."""
    from rotator.sources.cloudflare.connection import CloudflareConnection

    seen, verify = [], CloudflareConnection.verify

    def spying(self, value, path):
        seen.append(value.reveal())
        return verify(self, value, path)

    monkeypatch.setattr(CloudflareConnection, "verify", spying)
    return seen


FOREIGN = {
    "glpat-AAAAAAAAAAAAAAAAAAAA": "GitLab",
    "op://vault/item/field": "1Password",
    "'$(op read op://vault/item/field)'": "shell",
    "hunter2": "another kind",
    '\'{"DB_PASSWORD":"hunter2"}\'': "JSON",
}


@pytest.mark.parametrize("text", FOREIGN)
def test_what_is_no_value_of_the_provider_occupies_the_target_and_is_sent_to_nobody(
    opened, place, file, verified, text
):
    place.write(place.credential("workers-deploy", targets=PLAIN))
    file.write_text(f"API_TOKEN={text}\n")
    app = opened()

    assert once(app, 1.0) == 3
    assert status(app).needs_operator.code == "target_occupied"
    assert FOREIGN[text] in status(app).needs_operator.message
    assert {value[:5] for value in verified} <= {"cfat_"}, "only the management token"
    assert file.read_text() == f"API_TOKEN={text}\n"


@pytest.mark.parametrize("text", ["your_api_token_here", "<token>", "changeme", "xxx", "", "test", "my_secret_token"])
def test_a_placeholder_is_published_over_at_once(opened, place, file, verified, text):
    file.write_text(f"{KEY}='{text}'\n")
    app = opened()

    assert once(app, 5.0) == 0
    assert status(app).ready
    assert text not in verified


def test_the_id_of_another_account_beside_an_empty_value_occupies_the_target(opened, file):
    file.write_text(f"{KEY}=\n{ACCOUNT}=b0000000000000000000000000000002\n")
    app = opened()

    assert once(app, 1.0) == 3
    assert ACCOUNT in status(app).needs_operator.message
    assert "b0000000000000000000000000000002" in file.read_text()


def test_the_id_of_the_account_in_capital_letters_is_the_same_id_and_is_written_as_it_is_shown(opened, file):
    file.write_text(f"{KEY}=\n{ACCOUNT}={OURS.upper()}\n")
    app = opened()

    assert once(app, 5.0) == 0
    assert status(app).ready
    assert f"{ACCOUNT}={OURS}\n" in file.read_text()


def test_the_id_of_the_account_that_somebody_writes_in_capital_letters_later_overrides_nothing(app, file):
    assert once(app, 5.0) == 0
    file.write_text(file.read_text().replace(OURS, OURS.upper()))

    app.stop.wait(2.1)
    assert once(app, 8.0) == 0
    assert status(app).ready
    assert f"{ACCOUNT}={OURS}\n" in file.read_text()


@pytest.mark.parametrize(("stage", "code"), [("test", 3), ("none", 3), ("changeme", 0)])
def test_a_word_that_somebody_may_mean_is_no_placeholder_where_a_literal_belongs(opened, place, file, stage, code):
    keys = {"API_TOKEN": "token.value", "STAGE": {"literal": "prod"}}
    place.write(place.credential("workers-deploy", targets=[PLAIN[0] | {"keys": keys}]))
    file.write_text(f"API_TOKEN=test\nSTAGE={stage}\n")

    assert once(opened(), 5.0) == code
    assert (f"STAGE={stage}\n" in file.read_text()) == (code == 3)


def test_a_living_token_of_another_owner_is_never_called_dead(opened, sandbox, file):
    theirs = sandbox.credentials["user-management"]
    file.write_text(f"{KEY}={theirs}\n")
    app = opened()

    assert once(app, 4.0) == 3
    assert status(app).needs_operator.code == "target_occupied"
    assert theirs in file.read_text()


def test_an_older_value_of_ours_that_comes_back_after_its_end_is_written_over(app, place, file, said):
    assert once(app, 5.0) == 0
    before = file.read_text()
    app.note("workers-deploy", request())
    assert once(app, 20.0) == 0
    assert not app.queries.view(app.ids["workers-deploy"]).retirements, "the old token is gone, and its key destroyed"
    now = place.value()
    file.write_text(before)

    app.stop.wait(2.1)
    assert once(app, 8.0) == 0
    assert place.value() == now
    assert status(app).ready
    assert not [name for name, _ in said if name == Event.JOURNAL_UNSAFE]


def request():
    from rotator.core.facts import Draft, Requested

    return Draft(what=Requested(request_id="q"), at=0.0, actor="alice")


def test_a_value_that_was_replaced_by_garbage_is_neither_fresh_nor_in_sync(app, file, place):
    assert once(app, 5.0) == 0
    file.write_text(file.read_text().replace(place.value(), "oops"))

    app.stop.wait(2.1)
    assert once(app, 0.0) == 3
    found = status(app)
    assert found.needs_operator.code == "target_overridden"
    assert [target.in_sync for target in found.targets] == [False]
    assert not found.ready


def test_an_id_that_was_taken_away_twice_is_never_called_fresh(app, file):
    assert once(app, 5.0) == 0
    for _ in range(2):
        file.write_text("".join(line for line in file.read_text().splitlines(True) if ACCOUNT not in line))
        app.stop.wait(2.1)
        once(app, 0.0)
    found = status(app)

    assert ACCOUNT in file.read_text() or found.state is State.FAILING
    assert ACCOUNT in file.read_text() or "out of sync" in found.message


def test_an_id_that_the_operator_changes_in_the_configuration_is_written_over(app, place, file):
    keys = {KEY: "token.value", "STAGE": {"literal": "prod"}}
    target = {"type": "env_file", "path": "workers-deploy.env", "keys": keys}
    place.write(place.credential("workers-deploy", targets=[target]))
    assert reload(app)
    assert once(app, 5.0) == 0
    place.write(place.credential("workers-deploy", targets=[target | {"keys": keys | {"STAGE": {"literal": "test"}}}]))
    assert reload(app)

    assert once(app, 15.0) == 0
    assert "STAGE=test" in file.read_text()


def test_what_an_operator_accepted_is_not_in_sync_until_that_is_undone(app, place, file):
    from rotator.core.facts import Draft, How, Resolved

    def resolve(how):
        draft = Draft(what=Resolved(how=How(how)), at=app.queries.now("prod"), actor="alice")
        app.note("workers-deploy", draft)

    assert once(app, 5.0) == 0
    ours = place.value()
    file.write_text(file.read_text().replace(ours, "oops"))
    app.stop.wait(2.1)
    once(app, 0.0)
    resolve("accept")
    once(app, 3.0)
    [target] = status(app).targets
    assert (target.in_sync, target.accepted.by, status(app).ready) == (False, "alice", False)

    resolve("undo")
    assert once(app, 3.0) == 3
    resolve("retry")
    assert once(app, 15.0) == 0
    assert place.value() == ours
    assert status(app).ready


# --- a credential whose tokens live elsewhere from now on


def test_a_change_of_owner_replaces_the_token_and_retires_the_old_one_where_it_lives(app, place, file):
    mine = {
        "type": "cloudflare",
        "account_id": OURS,
        "api_url": place.sandbox.url,
        "token": {"file": "user-management"},
    }
    theirs = {**mine, "token": {"file": "account-management"}}
    place.write(**{"connections": {"prod": theirs, "mine": mine}})
    assert reload(app)
    assert once(app, 5.0) == 0
    view = app.queries.view(app.ids["workers-deploy"])
    old = view.current
    place.write(place.credential("workers-deploy") | {"connection": "mine", "owner": "user"}, **place.more)
    assert reload(app)

    assert once(app, 30.0) == 0
    view = app.queries.view(app.ids["workers-deploy"])
    assert view.current != old
    assert place.value().startswith("cfut_")
    assert not view.retirements
    gone = place.sandbox.world.tokens.get(old)
    assert gone is None or gone.status != "active"


@pytest.fixture
def moving(app, place):
    """A credential with a living token whose owner was just changed in the configuration; the id of that token."""
    mine = {
        "type": "cloudflare",
        "account_id": OURS,
        "api_url": place.sandbox.url,
        "token": {"file": "user-management"},
    }
    place.write(**{"connections": {"prod": mine | {"token": {"file": "account-management"}}, "mine": mine}})
    assert reload(app)
    assert once(app, 5.0) == 0
    old = app.queries.view(app.ids["workers-deploy"]).current
    place.write(place.credential("workers-deploy") | {"connection": "mine", "owner": "user"}, **place.more)
    assert reload(app)
    return old


def test_a_change_of_owner_is_a_change_of_the_plan(app, moving):
    found = changes(app).found["workers-deploy"]

    assert (found["token_id"], found["by"], found["fix"]) == (moving, "configuration", "rotate")
    assert [one["part"] for one in found["differences"]] == ["owner"]


def test_the_pass_that_sees_a_change_of_owner_reaches_what_was_left(app, said, moving):
    before = len(said)
    once(app, 30.0)

    found = [name for name, _ in said[before:]]
    assert not {"target_failed", "provider_unavailable"} & set(found)
    assert "rotation_confirmed" in found
