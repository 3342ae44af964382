"""What check says of what stands at a target."""

import pytest

from rotator.app.once import once
from rotator.core.facts import Draft, How, Resolved
from rotator.core.findings import Level
from rotator.sources.cloudflare.source import CloudflareSource


def test_what_stands_at_a_target_and_is_not_ours_is_found_before_anything_is_minted(looked, place):
    (place.folder / "workers-deploy.env").write_text("CLOUDFLARE_API_TOKEN=op://vault/item/field\n")
    [found] = looked()["occupied"]

    assert "1Password" in found.message
    assert found.remedy


OTHER_ACCOUNT = "CLOUDFLARE_ACCOUNT_ID=a0000000000000000000000000000002\n"


OURS = "CLOUDFLARE_ACCOUNT_ID=a0000000000000000000000000000001\n"


UNKNOWN = "cfat_" + "x" * 40 + "deadbeef"


@pytest.mark.parametrize("value", ["", "changeme"])
def test_what_stands_beside_the_value_and_is_not_ours_is_found_as_the_first_start_will_find_it(
    looked, opened, place, value
):
    (place.folder / "workers-deploy.env").write_text(f"CLOUDFLARE_API_TOKEN={value}\n{OTHER_ACCOUNT}")
    [found] = looked()["occupied"]

    assert (found.level, "CLOUDFLARE_ACCOUNT_ID holds" in found.message) == (Level.WARN, True)
    assert "CLOUDFLARE_API_TOKEN" not in found.message
    with opened() as app:
        assert once(app, 5.0) == 3


@pytest.mark.parametrize("beside", ["", OURS, "CLOUDFLARE_ACCOUNT_ID=\n", "CLOUDFLARE_ACCOUNT_ID=changeme\n"])
def test_our_own_account_beside_the_value_or_a_placeholder_is_no_finding(looked, opened, place, beside):
    (place.folder / "workers-deploy.env").write_text(f"CLOUDFLARE_API_TOKEN=\n{beside}")

    assert "occupied" not in looked()
    with opened() as app:
        assert once(app, 5.0) == 0


def test_of_an_unknown_value_of_our_own_shape_it_is_said_that_the_first_start_asks_and_nobody_is_asked_now(
    looked, opened, place, monkeypatch
):
    (place.folder / "workers-deploy.env").write_text(f"CLOUDFLARE_API_TOKEN={UNKNOWN}\n")
    with monkeypatch.context() as patched:
        patched.setattr(CloudflareSource, "verify", lambda self, value: pytest.fail("a value was sent"))
        [found] = looked()["occupied"]

    assert (found.level, "nobody can tell yet whose it is" in found.message) == (Level.WARN, True)
    assert "first start" in found.message
    assert UNKNOWN not in found.message + found.remedy
    with opened() as app:
        assert once(app, 5.0) == 3


def test_an_unknown_value_at_the_target_of_an_adoption_is_told_in_its_words(looked, place):
    place.write(place.credential("workers-deploy", adopt={"id": "ab" * 16}))
    (place.folder / "workers-deploy.env").write_text(f"CLOUDFLARE_API_TOKEN={UNKNOWN}\n")
    [found] = looked()["occupied"]

    assert "`adopt`" in found.remedy


def test_a_target_that_stays_occupied_after_a_start_stays_a_finding(looked, opened, place):
    (place.folder / "workers-deploy.env").write_text(f"CLOUDFLARE_API_TOKEN=\n{OTHER_ACCOUNT}")
    with opened() as app:
        once(app, 5.0)

    assert [f.level for f in looked()["occupied"]] == [Level.WARN]


@pytest.mark.parametrize("beside", [True, False])
def test_what_may_be_overwritten_is_no_finding(looked, place, beside):
    target = {"type": "env_file", "path": "workers-deploy.env", "on_existing": "replace"}
    place.write(place.credential("workers-deploy", targets=[target]))
    text = OTHER_ACCOUNT if beside else f"CLOUDFLARE_API_TOKEN={UNKNOWN}\n"
    (place.folder / "workers-deploy.env").write_text(text)

    assert "occupied" not in looked()


def test_at_a_new_target_our_own_current_value_is_no_finding_and_another_credentials_is_one(looked, opened, place):
    first = place.credential("workers-deploy")
    place.write(first, place.credential("other"))
    with opened() as app:
        assert once(app, 10.0) == 0
    more = [{"type": "env_file", "path": name} for name in ("own.env", "theirs.env")]
    (place.folder / "own.env").write_text((place.folder / "workers-deploy.env").read_text())
    (place.folder / "theirs.env").write_text((place.folder / "other.env").read_text())
    place.write(first | {"targets": [*first["targets"], *more]}, place.credential("other"))
    [found] = looked()["occupied"]

    assert str(found.subject).endswith("theirs.env")
    assert "another credential of ours" in found.message


def test_a_place_that_another_credential_leaves_in_the_same_change_is_no_finding(looked, opened, place):
    first, file = place.credential("workers-deploy"), {"type": "env_file", "path": "workers-deploy.env"}
    place.write(first, place.credential("other"))
    with opened() as app:
        assert once(app, 10.0) == 0
    elsewhere = [file | {"path": "elsewhere.env"}]
    place.write(first | {"targets": elsewhere}, place.credential("other", targets=[file]))

    assert "occupied" not in looked()


@pytest.mark.parametrize("text", ["", "changeme", "your_api_token_here"])
def test_a_placeholder_at_a_target_is_no_finding(looked, place, text):
    (place.folder / "workers-deploy.env").write_text(f"CLOUDFLARE_API_TOKEN={text}\n")

    assert "occupied" not in looked()


def test_a_permission_to_overwrite_that_has_served_is_a_finding(looked, opened, place):
    target = {"type": "env_file", "path": "workers-deploy.env", "on_existing": "replace"}
    place.write(place.credential("workers-deploy", targets=[target]))
    assert "on_existing" not in looked()
    with opened() as app:
        assert once(app, 5.0) == 0

    [found] = looked()["on_existing"]
    assert found.level is Level.WARN


def decided(app, how):
    """What `rotator resolve` journals."""
    app.journal.note(app.ids["workers-deploy"], Draft(what=Resolved(how=how), at=1_800_000_000.0, actor="alice"))


@pytest.mark.parametrize("later", [False, True], ids=["at first sight", "after a publication"])
def test_a_foreign_value_that_somebody_accepted_is_a_finding_until_that_is_undone(looked, opened, place, later):
    if later:
        with opened() as app:
            assert once(app, 5.0) == 0
    with opened() as app:
        (place.folder / "workers-deploy.env").write_text("CLOUDFLARE_API_TOKEN=garbage\n")
        assert once(app, 1.0) == 3
        decided(app, How.ACCEPT)
        once(app, 1.0)
        [found] = looked()["accepted"]
        decided(app, How.UNDO)

    assert found.level is Level.WARN
    assert str(found.subject) == f"credential workers-deploy, target env_file:{place.folder}/workers-deploy.env"
    assert "accepted by alice at 2027-01-15T08:00:00Z" in found.message
    assert "`rotator resolve workers-deploy --undo`" in found.remedy
    assert "accepted" not in looked()


@pytest.mark.parametrize("beside", [False, True])
def test_what_somebody_else_wrote_after_us_is_a_finding_that_names_the_decision(looked, opened, place, beside):
    with opened() as app:
        assert once(app, 5.0) == 0
    with opened() as app:
        value = place.value() if beside else "garbage"
        (place.folder / "workers-deploy.env").write_text(f"CLOUDFLARE_API_TOKEN={value}\n{OTHER_ACCOUNT}")
        assert once(app, 1.0) == 3
    [found] = looked()["overridden"]

    assert (found.level, "workers-deploy" in found.remedy) == (Level.WARN, True)
    assert "CLOUDFLARE_ACCOUNT_ID" in found.message if beside else "CLOUDFLARE_API_TOKEN" in found.message
