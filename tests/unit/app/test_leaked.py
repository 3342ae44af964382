"""A revoke that was kept beside the journal: whoever opens that takes it in, once, and keeps what nobody knows yet."""

import json
import time

from rotator.app import App
from rotator.app.leaked import FOLDER, Leaked, bring_in, spool
from rotator.app.once import once
from rotator.core.facts import Kind


def opened(place):
    return App.open(place.folder / "rotator.yaml", "writer")


def published(place):
    with opened(place) as app:
        assert once(app, 5.0) == 0
        [stream] = app.queries.streams()
        return app.queries.view(stream.id).current


def kept(app):
    return sorted(path.name for path in (app.config.state.folder / FOLDER).glob("*"))


def revokes(app):
    return [fact for fact in app.writable.facts() if fact.kind is Kind.REVOKED]


def leaked(token, **more):
    return Leaked(**{"token_id": token, "at": time.time(), "actor": "ops", "reason": "a log", **more})


def test_it_is_journaled_by_whoever_opens_the_journal_and_the_file_goes(place):
    token = published(place)
    with opened(place) as app:
        spool(app.config, leaked(token))
        assert kept(app) == [f"{token}.json"]
    with opened(place) as app:
        [fact] = revokes(app)
        assert (fact.what.tokens, fact.actor, fact.what.reason) == ((token,), "ops", "a log")
        assert kept(app) == []
        assert bring_in(app) == ()
        assert len(revokes(app)) == 1


def test_a_second_one_of_the_same_token_changes_nothing(place):
    token = published(place)
    with opened(place) as app:
        spool(app.config, leaked(token))
        spool(app.config, leaked(token, reason="again"))
        assert bring_in(app) == (token,)
        assert [fact.what.reason for fact in revokes(app)] == ["a log"]


def test_one_that_no_credential_knows_is_kept_for_a_day(place):
    published(place)
    with opened(place) as app:
        spool(app.config, leaked("f" * 32))
        spool(app.config, leaked("e" * 32, at=time.time() - 90000))
        assert bring_in(app) == ()
        assert kept(app) == [f"{'f' * 32}.json"]


def test_a_token_that_is_to_be_adopted_belongs_to_its_credential(place):
    token = "d" * 32
    place.write(place.credential("workers-deploy", adopt={"id": token}))
    with opened(place) as app:
        spool(app.config, leaked(token))
        assert bring_in(app) == (token,)


def test_what_makes_no_sense_is_left_alone(place):
    published(place)
    with opened(place) as app:
        spool(app.config, leaked("f" * 32))
        folder = app.config.state.folder / FOLDER
        (folder / "a.json").write_text("{")
        (folder / "b.json").write_text(json.dumps({"token_id": 1}))
        assert bring_in(app) == ()
        assert len(kept(app)) == 3
        assert oct((folder / f"{'f' * 32}.json").stat().st_mode)[-3:] == "600"
        assert oct(folder.stat().st_mode)[-3:] == "700"
