"""A token is read by GET as strictly as tokens die by it; a value that is shown once is taken; each in one place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import rotator.sources.cloudflare as cloudflare
from rotator.core.errors import Unavailable
from rotator.core.ids import TokenId
from rotator.sources.cloudflare.answers import Envelope
from rotator.sources.cloudflare.bearers import Bearer
from rotator.sources.cloudflare.calls import Call, Calls, Reply
from rotator.sources.cloudflare.reading import read_token

ID = TokenId("ed17574386854bf78a67040be0a770b0")
ROW: dict[str, Any] = {"id": ID, "name": "one", "status": "active"}


class Answering(Calls):
    """Answers every request with one result."""

    def __init__(self, result: object) -> None:
        self.result = result
        self.sent: list[str] = []

    def call(self, call: Call, bearer: Bearer | None = None) -> Reply:
        self.sent.append(call.path)
        return Reply(envelope=Envelope(True, (), self.result), date=None, status=200)

    _login = "the management token"


def test_a_token_that_is_shown_whole_is_read() -> None:
    calls = Answering(ROW)

    found = read_token(calls, "/user/tokens", ID, "reading")

    assert found is not None
    assert (found.raw, found.state.id) == (ROW, ID)
    assert calls.sent == [f"/user/tokens/{ID}"]


@pytest.mark.parametrize(
    "shown",
    [None, [], "active", {}, ROW | {"id": "f" * 32}, ROW | {"status": None}, ROW | {"expires_on": "soon"}],
)
def test_what_shows_another_token_or_half_of_one_is_no_answer(shown: object) -> None:
    with pytest.raises(Unavailable):
        read_token(Answering(shown), "/user/tokens", ID, "reading")


@pytest.mark.parametrize("token_id", ["", "..", "a/b", "verify?x", "x" * 65])
def test_what_is_no_id_is_never_asked_for(token_id: str) -> None:
    calls = Answering(ROW)

    with pytest.raises(Unavailable, match="not the id of a token"):
        read_token(calls, "/user/tokens", TokenId(token_id), "reading")
    assert calls.sent == []


@pytest.mark.parametrize("written", [r'operation="get"', r"\bminted\("])
def test_it_is_written_once(written: str) -> None:
    """A second reading would be the one that is less strict; `management` asks what a token may see of itself."""
    files = set(Path(cloudflare.__file__).parent.glob("*.py"))
    places = {file.stem for file in files if re.search(rf"(?<!def ){written}", file.read_text())}

    assert places - {"management"} == {"reading"}
