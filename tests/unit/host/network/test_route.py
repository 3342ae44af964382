"""Which way leads to a host: what a proxy's address may be, what loopback is, and whom `no_proxy` names."""

import pytest

from rotator.host.network.route import bypasses, is_loopback_host, no_proxy_entry, parse_proxy


@pytest.mark.parametrize(
    "url, where",
    [
        ("http://proxy:3128", ("http", "proxy", 3128)),
        ("https://proxy.internal", ("https", "proxy.internal", 443)),
        ("http://proxy/", ("http", "proxy", 80)),
        ("http://10.0.0.1:8080", ("http", "10.0.0.1", 8080)),
        ("http://[fd00::1]:3128", ("http", "fd00::1", 3128)),
    ],
)
def test_a_proxy_is_a_scheme_a_host_and_a_port(url: str, where: tuple[str, str, int]) -> None:
    found = parse_proxy(url)
    assert ((found.scheme, found.host, found.port), found.authorization) == (where, None)


def test_a_login_becomes_the_header_that_the_proxy_wants_and_is_shown_nowhere() -> None:
    found = parse_proxy("http://u%40corp:p%3Aw%2F@proxy:3128")
    assert found.authorization is not None
    assert found.authorization.reveal() == "Basic dUBjb3JwOnA6dy8="  # u@corp:p:w/
    assert "dUBjb3Jw" not in repr(found)
    assert "u@corp" not in found.name


@pytest.mark.parametrize(
    "url",
    ["proxy:3128", "socks5://proxy:1080", "http://", "http://:3128", "http://p r:1", "http://proxy/path", "http://p:0",
     "http://proxy:port", "http://proxy?x", "", "//proxy"],
)  # fmt: skip
def test_anything_else_is_not_the_address_of_a_proxy(url: str) -> None:
    with pytest.raises(ValueError, match=r"not a URL|scheme|host"):
        parse_proxy(url)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "app.localhost", "localhost.", "127.0.0.1", "127.9.9.9", "::1", "[::1]",
             "::ffff:127.0.0.1"],
)  # fmt: skip
def test_loopback_is_never_reached_through_a_proxy(host: str) -> None:
    assert is_loopback_host(host)
    assert bypasses(host, 443, ())


@pytest.mark.parametrize("host", ["notlocalhost", "localhost.example", "128.0.0.1", "10.0.0.1", "::2", "vault", ""])
def test_what_only_looks_like_loopback_is_none(host: str) -> None:
    assert not is_loopback_host(host)
    assert not bypasses(host, 443, ())


@pytest.mark.parametrize(
    "entry, host, port, straight",
    [
        ("internal.example", "internal.example", 443, True),
        ("internal.example", "vault.internal.example", 443, True),
        ("internal.example", "notinternal.example", 443, False),
        ("internal.example", "internal.example.org", 443, False),
        (".internal.example", "internal.example", 443, True),
        ("*.internal.example", "a.b.internal.example", 443, True),
        ("INTERNAL.example", "Vault.Internal.Example.", 443, True),
        ("vault:8200", "vault", 8200, True),
        ("vault:8200", "vault", 443, False),
        ("10.0.0.0/8", "10.1.2.3", 443, True),
        ("10.0.0.0/8", "11.1.2.3", 443, False),
        ("10.0.0.0/8", "ten.example", 443, False),
        ("10.1.2.3", "10.1.2.3", 443, True),
        ("10.1.2.3:8200", "10.1.2.3", 443, False),
        ("fd00::/8", "[fd00::1]", 443, True),
        ("fd00::1", "fd00::1", 443, True),
        ("[fd00::1]:8200", "fd00::1", 8200, True),
        ("[fd00::1]:8200", "fd00::1", 443, False),
        ("0.0.0.0/0", "fd00::1", 443, False),
    ],
)
def test_no_proxy_names_hosts_with_all_below_them_addresses_and_blocks(
    entry: str, host: str, port: int, straight: bool
) -> None:
    assert no_proxy_entry(entry) == entry
    assert bypasses(host, port, (entry,)) is straight


@pytest.mark.parametrize("entry", ["a,b", "http://a", "a b", "", "*", "10.0.0.0/40", "a:99999", "a/b", "a..b"])
def test_an_entry_that_could_never_match_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match=r"host|port|network|netmask|Expected"):
        no_proxy_entry(entry)
