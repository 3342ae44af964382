"""Whose certificates are believed: those that `ca_file` holds, else those of the system's trust store.

Nothing is taken from SSL_CERT_FILE, SSL_CERT_DIR, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or AWS_CA_BUNDLE, and no bundle of
a Python package is used. OpenSSL's own `set_default_verify_paths`, and truststore on Linux with it, would read the
first two, so on Linux the store's files are named here; on macOS and Windows, where the store is no file, truststore
asks it.
"""

from __future__ import annotations

import ssl
import sys
import threading
from pathlib import Path
from typing import Final

from rotator.host.network.errors import Cause, NotConnected

FILES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/etc/ssl/cert.pem",
)
"""Where distributions keep the one file of all authorities: Debian and Alpine, Fedora, older ones, SUSE, BSD."""

Stamp = tuple[tuple[str, int, int, int], ...]


def system_files() -> tuple[Path, ...]:
    """Return the files of the system's store: the one that OpenSSL was built for, else the first that there is."""
    built = ssl.get_default_verify_paths()  # `openssl_*` are those of the build, whatever the environment says
    for candidate in (built.openssl_cafile, *FILES):
        if Path(candidate).is_file():
            return (Path(candidate),)
    folder = Path(built.openssl_capath)
    return tuple(sorted(folder.glob("*.[0-9]"))) if folder.is_dir() else ()


class Trust:
    """A TLS context that is made at its first use, and again whenever its files change. Safe for threads."""

    def __init__(self, ca_file: Path | None) -> None:
        """Nothing is read yet.

        Args:
            ca_file: believe only the certificates in it.
        """
        self._ca_file = ca_file
        self._lock = threading.Lock()
        self._made: tuple[Stamp, ssl.SSLContext] | None = None

    def context(self) -> ssl.SSLContext:
        """Return a client's context: TLS 1.2 or newer, certificate and name checked, HTTP/1.1.

        Raises:
            NotConnected: `ca_file` cannot be used, or the system has no store.
        """
        if self._ca_file is None and sys.platform in ("darwin", "win32"):
            return self._of_the_platform()
        files = (self._ca_file,) if self._ca_file is not None else system_files()
        with self._lock:
            stamp = tuple(_stamp(file) for file in files)
            if self._made is None or self._made[0] != stamp:
                self._made = (stamp, self._load(files))
            return self._made[1]

    def _of_the_platform(self) -> ssl.SSLContext:
        import truststore

        with self._lock:
            if self._made is None:
                self._made = ((), _strict(truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)))
            return self._made[1]

    def _load(self, files: tuple[Path, ...]) -> ssl.SSLContext:
        if not files:
            raise NotConnected(
                Cause.SETTINGS,
                "this system has no trust store",
                "install its package of certificate authorities (ca-certificates), or set `ca_file`",
            )
        context = _strict(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        for file in files:
            try:
                context.load_verify_locations(cafile=str(file))
            except OSError as error:  # `ssl.SSLError` is one
                what = "`ca_file`" if file == self._ca_file else str(file)
                why = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
                raise NotConnected(
                    Cause.SETTINGS,
                    f"{what} cannot be used: {why}",
                    f"let {what} be a readable file of certificates in PEM format",
                ) from None
        return context


def _strict(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _stamp(file: Path) -> tuple[str, int, int, int]:
    """What changes when a file is replaced or rewritten; a file that is not there has a stamp, too."""
    try:
        found = file.stat()
    except OSError:
        return (str(file), 0, 0, 0)
    return (str(file), found.st_ino, found.st_mtime_ns, found.st_size)
