"""Two credentials of one group, as a person sees them: never rotated at once, also when everything is asked for."""

import pytest

from rotator.sandbox import Sandbox
from tests.rotator_place import Place, eventually


@pytest.fixture
def place(tmp_path):
    with Sandbox() as sandbox:
        made = Place(tmp_path, sandbox)
        made.write(
            made.credential("app-dev", group="app"),
            made.credential("app-prod", group="app"),
            groups={"app": {"min_gap": "1h"}},
        )
        yield made
        made.close()


def test_two_of_a_group_that_are_asked_for_at_once_are_rotated_one_after_the_other(place):
    assert place.run("once", "--wait", "20s").code == 0

    done = place.run("rotate", "app-dev", "app-prod", "--wait", "60s")

    assert (done.code, done.err) == (0, done.err)
    facts = place.run("history", "-o", "json").json["facts"]
    spans = [(fact["kind"], fact["credential"]) for fact in facts if fact["kind"] in ("planned", "confirmed")]
    second = spans[4:]  # the first creations are not held back
    assert [kind for kind, _ in second] == ["planned", "confirmed", "planned", "confirmed"]


def test_a_member_that_is_due_after_the_other_waits_and_status_says_why(place):
    place.write(
        place.credential("app-dev", group="app"),
        place.credential("app-prod", group="app", rotation={"every": "1s", "grace": "1s", "quiet": "1s", "soak": "1s"}),
        groups={"app": {"min_gap": "1h"}},
    )

    assert place.run("once", "--wait", "10s").code == 0

    def waits() -> bool:
        """Looked at again, for it is due a second after its creation."""
        assert place.run("once").code == 0
        said = "due for rotation (another credential of its group was rotated a while ago)"
        return place.status("app-prod")["message"] == said

    assert eventually(waits)
    assert (place.status("app-prod")["generation"], place.status("app-prod")["state"]) == (1, "idle")
