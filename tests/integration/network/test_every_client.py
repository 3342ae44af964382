"""One network policy: the same proxies, trust and certainty for Cloudflare, Vault and AWS.

The services are raw servers, the proxy is a real one; "service.test" exists for the proxy only.
"""

import contextlib
import datetime
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rotator.core.errors import OutcomeUnknown, RotatorError, Unavailable
from rotator.host.network import trust
from tests.integration.cloudflare.raw_server import RawServer, http, raw_server, say
from tests.integration.network.clients import CANARY, KINDS, Client, Kinds, failure
from tests.servers.certificates import certificate
from tests.servers.proxy import Proxy

NAME = "service.test"


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kinds:
    found: Kinds = request.param
    return found


@pytest.fixture(autouse=True)
def _identity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    (tmp_path / "token").write_text(CANARY)
    (tmp_path / "token").chmod(0o600)


@pytest.fixture
def service(kind: Kinds, tmp_path: Path) -> Iterator[RawServer]:
    """The service behind TLS, for its name; `authority` beside it vouches for it."""
    context, _ = certificate(tmp_path, NAME, called="service")
    with raw_server(say(http(kind.answer)), context) as server:
        yield server


@pytest.fixture
def proxy(service: RawServer) -> Iterator[Proxy]:
    with Proxy({f"{NAME}:443": ("127.0.0.1", service.port)}) as made:
        yield made


def behind(kind: Kinds, tmp_path: Path, url: object, **more: Any) -> Client:
    """The client of the service, which it can only reach through a proxy."""
    return kind.open(
        f"https://{NAME}",
        tmp_path,
        ca_file=tmp_path / "service.pem",
        proxy={"url": url} | more.pop("proxy", {}),
        **more,
    )


# ------------------------------------------------------------------------------------------------------ the environment
def test_nothing_of_the_environment_or_the_home_folder_is_used(
    kind: Kinds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login stranger password stranger\n")
    (tmp_path / ".netrc").chmod(0o600)
    (tmp_path / ".vault-token").write_text("stranger")
    config = tmp_path / "aws-config"
    config.write_text("[default]\nendpoint_url = http://127.0.0.1:9\nca_bundle = /nonexistent\n")
    with Proxy({}) as intruder, raw_server(say(http(kind.answer))) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, intruder.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "NETRC"):
            monkeypatch.setenv(name, str(tmp_path / ".netrc"))
        for name in ("VAULT_ADDR", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SECRETS_MANAGER"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv("VAULT_TOKEN", "stranger")
        monkeypatch.setenv("VAULT_NAMESPACE", "stranger")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        kind.open(server.url, tmp_path)(effect=True)
        assert (len(server.requests), intruder.heads) == (1, [])
    assert b"stranger" not in server.requests[0]
    assert b"Authorization: Basic" not in server.requests[0]


def test_the_service_comes_from_the_configuration_and_not_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `endpoint_url` AWS is asked, even where the environment and the shared configuration name a stranger."""
    config = tmp_path / "aws-config"
    config.write_text("[default]\nendpoint_url = http://127.0.0.1:9\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:9")
    aws = next(kind for kind in KINDS if kind.name == "aws")
    with Proxy({}) as proxy:
        failure(aws.open(None, tmp_path, proxy={"url": proxy.url}))
    assert proxy.heads[0].startswith("CONNECT secretsmanager.eu-central-1.amazonaws.com:443 ")


def test_loopback_is_never_reached_through_the_configured_proxy(kind: Kinds, tmp_path: Path) -> None:
    with Proxy({}) as proxy, raw_server(say(http(kind.answer))) as server:
        kind.open(server.url, tmp_path, proxy={"url": proxy.url})(effect=True)
        assert (len(server.requests), proxy.heads) == (1, [])


# ------------------------------------------------------------------------------------------------------ through a proxy
def test_a_proxy_carries_a_tunnel_and_sees_nothing_of_what_goes_through(
    kind: Kinds, service: RawServer, proxy: Proxy, tmp_path: Path
) -> None:
    client = behind(kind, tmp_path, proxy.url)
    for effect in (False, True):
        client(effect=effect)
    assert len(service.requests) == 2
    assert {head.split("\r\n")[0] for head in proxy.heads} == {f"CONNECT {NAME}:443 HTTP/1.1"}
    assert CANARY not in "".join(proxy.heads)


def test_a_proxy_may_speak_tls_itself_with_an_authority_of_its_own(
    kind: Kinds, service: RawServer, tmp_path: Path
) -> None:
    context, authority = certificate(tmp_path, called="proxy")
    with Proxy({f"{NAME}:443": ("127.0.0.1", service.port)}, context) as proxy:
        behind(kind, tmp_path, proxy.url, proxy={"ca_file": authority})(effect=True)
        assert (len(service.requests), len(proxy.heads)) == (1, 1)
        error = failure(behind(kind, tmp_path, proxy.url))
    assert isinstance(error, Unavailable)
    assert "`proxy.ca_file`" in error.remedy
    assert len(service.requests) == 1


def test_the_login_of_a_proxy_is_read_from_where_secrets_are_and_goes_to_the_proxy_only(
    kind: Kinds, service: RawServer, proxy: Proxy, tmp_path: Path
) -> None:
    proxy.login = "Basic dXNlcjpwQHNz"  # user:p@ss
    file = tmp_path / "proxy"
    file.write_text(proxy.url.replace("//", "//user:p%40ss@") + "\n")
    file.chmod(0o600)
    behind(kind, tmp_path, {"file": file})(effect=True)
    assert len(service.requests) == 1
    assert b"dXNlcjpwQHNz" not in service.requests[0]


def silent(proxy: Proxy) -> None:
    proxy.answer = b""


def not_http(proxy: Proxy) -> None:
    proxy.answer = b"220 mail.test ESMTP\r\n\r\n"


def refuses(proxy: Proxy) -> None:
    proxy.routes.clear()


def wants_a_login(proxy: Proxy) -> None:
    proxy.login = "Basic eDp5"


def reaches_nobody(proxy: Proxy) -> None:
    proxy.answer = b"HTTP/1.1 502 Bad Gateway\r\n\r\n"


def gone(proxy: Proxy) -> None:
    proxy.close()


@pytest.mark.parametrize(
    "trouble, word, remedy",
    [
        (silent, "did not open a tunnel", "proxy"),
        (not_http, "not HTTP", "HTTP proxy"),
        (refuses, "HTTP 403", "CONNECT"),
        (wants_a_login, "wants a login", "user and password"),
        (reaches_nobody, "does not reach", "proxy's log"),
        (gone, "refused", "`proxy.url`"),
    ],
)
def test_a_tunnel_that_is_not_opened_has_sent_nothing_and_the_remedy_fits_its_cause(
    kind: Kinds,
    service: RawServer,
    proxy: Proxy,
    tmp_path: Path,
    trouble: Callable[[Proxy], None],
    word: str,
    remedy: str,
) -> None:
    trouble(proxy)
    error = failure(behind(kind, tmp_path, proxy.url))
    assert isinstance(error, Unavailable)
    assert (word in error.message, remedy in error.remedy) == (True, True), (error.message, error.remedy)
    assert service.requests == []


def test_a_login_that_the_proxy_does_not_accept_is_not_shown(
    kind: Kinds, service: RawServer, proxy: Proxy, tmp_path: Path
) -> None:
    proxy.login = "Basic eDp5"
    file = tmp_path / "proxy"
    file.write_text(proxy.url.replace("//", "//somebody:secretword@"))
    file.chmod(0o600)
    error = failure(behind(kind, tmp_path, {"file": file}))
    assert "does not accept the login" in error.message
    assert "secretword" not in f"{error.message} {error.remedy}"
    assert service.requests == []


def test_an_answer_that_is_lost_inside_a_tunnel_is_lost_after_one_request(
    kind: Kinds, service: RawServer, proxy: Proxy, tmp_path: Path
) -> None:
    service.script = lambda connection: None
    assert isinstance(failure(behind(kind, tmp_path, proxy.url)), OutcomeUnknown)
    assert len(service.requests) == 1


@pytest.mark.parametrize("content", ["socks5://proxy:1080", "proxy:3128", None])
def test_a_proxy_that_cannot_be_read_is_a_matter_of_settings(kind: Kinds, tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "proxy"
    if content is not None:
        file.write_text(content)
        file.chmod(0o600)
    error = failure(behind(kind, tmp_path, {"file": file}))
    assert isinstance(error, Unavailable)
    assert "`proxy.url`" in error.message


# ------------------------------------------------------------------------------------------------------ trust
@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE"])
def test_an_authority_that_only_the_environment_names_is_not_trusted(
    kind: Kinds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    context, authority = certificate(tmp_path)
    monkeypatch.setenv(name, str(authority))
    with raw_server(say(http(kind.answer)), context) as server:
        assert "`ca_file`" in failure(kind.open(server.url, tmp_path)).remedy
        assert server.requests == []


def test_an_authority_in_the_store_of_the_system_is_trusted(
    kind: Kinds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, authority = certificate(tmp_path)
    monkeypatch.setattr(trust, "system_files", lambda: (authority,))
    with raw_server(say(http(kind.answer)), context) as server:
        kind.open(server.url, tmp_path)(effect=True)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "names, ends_in, vouched, remedy",
    [
        (("127.0.0.1",), 1, False, "`ca_file`"),
        (("127.0.0.1",), -1, True, "clock"),
        (("elsewhere.test",), 1, True, "name that stands in the certificate"),
    ],
)
def test_a_certificate_that_is_not_trusted_stops_before_anything_is_sent_and_the_remedy_fits(
    kind: Kinds, tmp_path: Path, names: tuple[str, ...], ends_in: int, vouched: bool, remedy: str
) -> None:
    context, authority = certificate(tmp_path, *names, ends_in=datetime.timedelta(days=ends_in))
    with raw_server(say(http(kind.answer)), context) as server:
        error = failure(kind.open(server.url, tmp_path, ca_file=authority if vouched else None))
        assert server.requests == []
    assert isinstance(error, Unavailable)
    assert ("is not trusted" in error.message, remedy in error.remedy) == (True, True), (error.message, error.remedy)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_a_server_that_speaks_only_old_tls_is_told_nothing(kind: Kinds, tmp_path: Path) -> None:
    context, authority = certificate(tmp_path)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with raw_server(say(http(kind.answer)), context) as server:
        error = failure(kind.open(server.url, tmp_path, ca_file=authority))
        assert server.requests == []
    assert "TLS 1.2" in error.remedy


def test_plain_http_where_tls_is_expected_says_where_to_look(kind: Kinds, tmp_path: Path) -> None:
    with raw_server(say(http(kind.answer))) as server:
        error = failure(kind.open(server.url.replace("http:", "https:"), tmp_path))
    assert isinstance(error, Unavailable)
    assert "scheme and port" in error.remedy


def test_a_redirect_is_not_followed(kind: Kinds, tmp_path: Path) -> None:
    with raw_server(say(http(kind.answer))) as elsewhere:
        away = say(http(b"", "307 Temporary Redirect", f"Location: {elsewhere.url}/x"))
        with raw_server(away) as server, contextlib.suppress(RotatorError):
            kind.open(server.url, tmp_path)(effect=True)
        assert (len(server.requests), elsewhere.requests) == (1, [])
