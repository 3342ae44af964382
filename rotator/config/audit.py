"""`audit` of the configuration: where every fact is exported to, and in which form."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, WithJsonSchema

from rotator.config.fields import ConfigPath, Name, ServiceUrl, Stanza, Text, wrong
from rotator.config.network import Reachable
from rotator.config.secret_ref import SecretRef
from rotator.host.network.route import is_loopback_host, parse_proxy

PORTS: Final = {"udp": 514, "tcp": 601, "tls": 6514}
"""Of syslog over each way (RFC 5426, 3195, 5425), where an address names none."""


def _address(value: str) -> str:
    instead = "write for example tls://logs.example.com:6514"
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host or port == 0 or parts.scheme not in PORTS or re.search(r"[\s@]", value):
        raise wrong(
            "this is not the address of a syslog server", "expected udp://, tcp:// or tls:// and a host", instead
        )
    if parts.path or parts.query or parts.fragment:
        raise wrong("something follows the host of the syslog server", "expected nothing", instead)
    try:
        parse_proxy(f"http://{parts.netloc}")  # what a host is, is the same everywhere
    except ValueError:
        raise wrong("there is no host in the address of the syslog server", "expected one", instead) from None
    return value


Address = Annotated[
    Text, AfterValidator(_address), WithJsonSchema({"type": "string", "pattern": "^(udp|tcp|tls)://[^/@]+$"})
]


class Sink(Stanza):
    """What every sink of the audit export says."""

    name: Name = Field(
        description="By which its cursor in the journal is found again: under another name it begins anew."
    )
    format: Literal["json", "ocsf"] = Field(
        "json", description="Our own lines, or events of OCSF 1.5.0, class Entity Management."
    )


class FileStanza(Sink):
    """Lines are appended to a file, which others rotate."""

    type: Literal["file"]
    path: ConfigPath = Field(description="The file; it is made with mode 0600. Each machine has its own.")

    @property
    def of_node(self) -> bool:
        """Whether each machine has an export of its own."""
        return True


class SyslogStanza(Sink):
    """Lines are sent as messages of RFC 5424, with facility `log audit`."""

    type: Literal["syslog"]
    address: Address = Field(description="udp://HOST[:514], tcp://HOST[:601] or tls://HOST[:6514].")
    ca_file: ConfigPath | None = Field(
        None, description="Certificates to trust instead of those of the system's trust store."
    )

    @property
    def of_node(self) -> bool:
        """A server on the machine itself is each machine's own; any other is the same for all."""
        return is_loopback_host(self.where[1])

    @property
    def where(self) -> tuple[str, str, int]:
        """The way (`udp`, `tcp`, `tls`), host and port."""
        parts = urlsplit(self.address)
        return parts.scheme, parts.hostname or "", parts.port or PORTS[parts.scheme]


class HttpsStanza(Sink, Reachable):
    """Lines are posted to an address in batches, as newline-delimited JSON."""

    type: Literal["https"]
    url: ServiceUrl
    token: SecretRef | None = Field(None, description="The secret of the header `Authorization`; none without it.")
    scheme: Text = Field("Bearer", description="What stands before the token in it, for example Splunk.")

    @property
    def of_node(self) -> bool:
        """It is the same address for all machines: one of them exports at a time."""
        return False


AuditStanza = FileStanza | SyslogStanza | HttpsStanza

KINDS: Final[dict[str, type[FileStanza] | type[SyslogStanza] | type[HttpsStanza]]] = {
    "file": FileStanza,
    "syslog": SyslogStanza,
    "https": HttpsStanza,
}
