"""Services by Apprise, with one of its real plug-ins and a real server; and nothing of an address anywhere."""

from __future__ import annotations

import json
import logging

import pytest

from rotator.core.secret import Secret
from rotator.notify.errors import ChannelDown
from rotator.notify.services import send
from tests.unit.notify.test_post import CANARY, Hook, hook, message

__all__ = ["hook"]


def address(hook: Hook) -> Secret:
    return Secret(f"json://user:{CANARY}@127.0.0.1:{hook.port}/services/{CANARY}")


def test_a_service_is_told_title_and_text(hook: Hook):
    send(address(hook), message(), "abcd1234")
    [(_, _, body)] = hook.got
    told = json.loads(body)
    assert told["title"] == "rotator: c0: gets no fresh value"
    assert told["message"].startswith("c0 (team=web), since 1970-01-01T00:00:00Z")
    assert "abcd1234 msg_1" in told["message"]
    assert told["type"] == "failure"


def test_the_end_of_a_trouble_is_good_news(hook: Hook):
    send(address(hook), message(over=True), "abcd1234")
    assert json.loads(hook.got[0][2])["type"] == "success"


def test_a_service_that_refuses_is_said_without_its_address(hook: Hook, capfd, caplog):
    hook.status = 500
    with caplog.at_level(logging.DEBUG), pytest.raises(ChannelDown) as found:
        send(address(hook), message(), "abcd1234")
    said = f"{found.value.message} {found.value.remedy} {found.value!r}"
    assert found.value.message == "telling a service by json:// failed: it says no more"
    assert CANARY not in said + "".join(capfd.readouterr()) + "".join(one.getMessage() for one in caplog.records)


@pytest.mark.parametrize("url", ["nothing", f"nosuch://{CANARY}", f"slack://{CANARY}", "file:///etc/passwd", "\x00"])
def test_what_is_no_address_of_apprise_is_said_and_not_quoted(url):
    with pytest.raises(ChannelDown) as found:
        send(Secret(url), message(), "abcd1234")
    assert found.value.message == "what `url` points to is no address of Apprise, or lacks something"
    assert CANARY not in f"{found.value!r} {found.value.remedy}"


def test_a_service_leaves_no_files(hook: Hook, tmp_path, monkeypatch):
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    send(address(hook), message(), "abcd1234")
    assert list(tmp_path.rglob("*")) == []
