"""Whose certificates are believed, and that a change of the files is seen without a restart."""

import ssl
from pathlib import Path

import pytest

from rotator.host.network import trust
from rotator.host.network.errors import Cause, NotConnected
from tests.servers.certificates import certificate


def subjects(context: ssl.SSLContext) -> set[str]:
    parts = [part for found in context.get_ca_certs() for part in found["subject"]]
    return {str(value) for part in parts for key, value in part if key == "commonName"}


def test_a_connection_speaks_tls_1_2_or_newer_and_checks_certificate_and_name() -> None:
    context = trust.Trust(None).context()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE"])
def test_bundles_of_the_environment_are_not_believed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, authority = certificate(tmp_path, called="intruder")
    monkeypatch.setenv(name, str(authority))
    assert "intruder" not in subjects(trust.Trust(None).context())


def test_without_a_file_of_its_own_it_believes_what_the_system_believes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, authority = certificate(tmp_path, called="corporate")
    monkeypatch.setattr(trust, "system_files", lambda: (authority,))
    assert subjects(trust.Trust(None).context()) == {"corporate"}


def test_this_system_has_a_store() -> None:
    assert trust.system_files() != ()


def test_the_file_of_a_connection_is_believed_instead_of_the_system(tmp_path: Path) -> None:
    _, authority = certificate(tmp_path, called="private")
    assert subjects(trust.Trust(authority).context()) == {"private"}


def test_a_file_that_changes_is_read_again_and_one_that_does_not_is_not(tmp_path: Path) -> None:
    _, authority = certificate(tmp_path, called="first")
    believed = trust.Trust(authority)
    before = believed.context()
    assert believed.context() is before
    _, other = certificate(tmp_path, called="second")
    authority.unlink()
    other.rename(authority)
    assert subjects(believed.context()) == {"second"}


@pytest.mark.parametrize("content", [None, b"", b"not a certificate\n"])
def test_a_file_that_cannot_be_used_is_named_with_its_key(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(NotConnected, match="`ca_file` cannot be used") as caught:
        trust.Trust(file).context()
    assert (caught.value.cause, "PEM" in caught.value.remedy) == (Cause.SETTINGS, True)


def test_a_system_without_a_store_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "system_files", lambda: ())
    with pytest.raises(NotConnected, match="no trust store") as caught:
        trust.Trust(None).context()
    assert "ca-certificates" in caught.value.remedy
