"""`probes: auto`: nothing is published before a new token was seen to do what its grants say. `not_before`."""

import pytest

from rotator.sandbox import products
from tests.rotator_place import Place

_groups = products._groups
GRANTS = [{"permissions": ["DNS Write", "Cache Purge"], "zones": "all"}, {"permissions": ["D1 Read"]}]


def requests(place: Place) -> list[str]:
    return [row["path"] for row in place.sandbox.gateway.recorder.after(0) if row["operation"] == "product"]


@pytest.fixture
def careful(place):
    place.write(place.credential("workers-deploy", grants=GRANTS, probes="auto"))
    return place


def test_each_permission_is_read_once_before_the_value_is_published(rotator, careful):
    assert rotator("once").code == 0

    paths = requests(careful)
    assert sorted(path.rsplit("/", 1)[-1] for path in paths) == ["database", "dns_records"]
    assert careful.value()
    rotator("once")
    assert requests(careful) == paths


def test_without_it_nothing_is_read(rotator, place):
    place.write(place.credential("workers-deploy", grants=GRANTS))

    assert rotator("once").code == 0
    assert requests(place) == []


def test_a_permission_that_does_not_work_holds_the_publication_back_and_is_named(rotator, careful, monkeypatch):
    monkeypatch.setattr("rotator.sources.cloudflare.first_use.SETTLES", 0.0)
    monkeypatch.setattr(products, "_groups", lambda kind, names: ("0" * 32,) if "D1" in names else _groups(kind, names))

    done = rotator("once")
    assert done.code == 1
    assert not (careful.folder / "workers-deploy.env").exists()
    shown = rotator("status", "workers-deploy").out
    assert "D1 Read" in shown
    assert "rotator token test" in shown


def test_a_refusal_of_a_very_new_token_may_be_on_its_way(rotator, careful, monkeypatch):
    monkeypatch.setattr(products, "_groups", lambda kind, names: ("0" * 32,))
    rotator("once")
    assert not (careful.folder / "workers-deploy.env").exists()

    monkeypatch.setattr(products, "_groups", _groups)
    assert rotator("once", "--wait", "20s").code == 0
    assert careful.value()


def test_a_token_that_begins_later_is_published_only_then(rotator, place):
    place.write(place.credential("workers-deploy", not_before="4s"))

    rotator("once")
    assert not (place.folder / "workers-deploy.env").exists()
    (token,) = [t for t in place.sandbox.world.tokens.values() if t.name.startswith("workers-deploy~")]
    assert token.not_before is not None
    assert rotator("once", "--wait", "30s").code == 0
    assert place.value() == token.value
