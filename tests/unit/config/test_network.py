"""What a stanza may say about a proxy, and what it must not."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from rotator.config.network import Reachable
from rotator.config.secret_ref import SecretRef


def stanza(**proxy: Any) -> Reachable:
    return Reachable.model_validate({"proxy": proxy})


def complaint(content: object) -> str:
    with pytest.raises(ValidationError) as caught:
        Reachable.model_validate({"proxy": content})
    return str(caught.value)


def test_a_proxy_is_an_address_or_where_to_read_one() -> None:
    assert stanza(url="http://proxy:3128").proxy is not None
    reference = stanza(url={"file": "/run/secrets/proxy"}, no_proxy=["internal.example", "10.0.0.0/8"]).proxy
    assert reference is not None
    assert reference.url == SecretRef(file=Path("/run/secrets/proxy"))
    assert reference.no_proxy == ("internal.example", "10.0.0.0/8")


@pytest.mark.parametrize("url", ["http://user:word@proxy:3128", "http://user@proxy:3128", "http://:word@proxy"])
def test_a_login_in_the_address_is_refused_and_not_repeated(url: str) -> None:
    said = complaint({"url": url})
    assert ("holds a login" in said, "url: {file:" in said, "word" in said.replace("password", "")) == (
        True,
        True,
        False,
    )


@pytest.mark.parametrize("url", ["proxy:3128", "socks5://proxy:1080", "http://proxy/path", "http://"])
def test_what_is_no_http_proxy_says_what_to_write(url: str) -> None:
    assert "http://proxy.internal:3128" in complaint({"url": url})


@pytest.mark.parametrize("entry", ["a,b", "http://a", "*", "10.0.0.0/40"])
def test_an_entry_of_no_proxy_that_names_nobody_is_refused(entry: str) -> None:
    assert "names no host" in complaint({"url": "http://proxy:3128", "no_proxy": [entry]})


def test_a_text_instead_of_a_mapping_says_how_to_write_it() -> None:
    assert "{url: http://proxy.internal:3128}" in complaint("http://proxy:3128")
