"""What follows a publication, as a person sees it: done after each, a failure said and tried again, nothing held up."""

import pytest

from rotator.sandbox import Sandbox
from tests.rotator_place import Place


@pytest.fixture
def place(tmp_path):
    with Sandbox() as sandbox:
        made = Place(tmp_path, sandbox)
        yield made
        made.close()


def with_hook(place, *hooks):
    target = {"type": "env_file", "name": "env", "path": "workers-deploy.env", "after_publish": list(hooks)}
    return place.write(place.credential("workers-deploy", targets=[target]))


def test_a_hook_runs_after_each_publication_and_status_shows_it(place):
    script = 'grep -q "^CLOUDFLARE_API_TOKEN=" workers-deploy.env && echo "$ROTATOR_GENERATION" >> ran'
    with_hook(place, {"command": ["sh", "-c", f"cd {place.folder} && {script}"]})

    assert place.run("once", "--wait", "5s").code == 0
    assert place.run("rotate", "workers-deploy", "--wait", "30s").code == 0
    place.run("once", "--wait", "2s")

    assert (place.folder / "ran").read_text().split() == ["1", "2"]
    hooks = place.status()["targets"][0]["after_publish"]
    assert (hooks["state"], hooks["generation"], hooks["failed"]) == ("done", 2, [])


def test_a_failing_hook_is_said_with_a_remedy_and_tried_again_and_the_rotation_is_over(place):
    with_hook(place, {"touch": "reload-me"})

    assert place.run("once").code == 0
    found = place.status()
    assert (found["state"], found["ready"], found["targets"][0]["in_sync"]) == ("idle", True, True)
    assert found["targets"][0]["after_publish"]["state"] == "failing"
    assert "after_publish failed and is tried again" in place.run("status", "workers-deploy").out

    (place.folder / "reload-me").write_text("")
    assert place.run("once", "--wait", "20s").code == 0
    assert place.status()["targets"][0]["after_publish"]["state"] == "done"
    facts = place.run("history", "workers-deploy", "-o", "json").json["facts"]
    assert [bool(fact["detail"]["failed"]) for fact in facts if fact["kind"] == "hooked"][-1] is False
