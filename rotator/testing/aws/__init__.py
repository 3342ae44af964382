"""A strict double of AWS Secrets Manager over HTTP, for tests: the operations that a rotator needs, as documented.

It is strict where doubles tend to be kind: one version id never holds two texts, a label moves only from where it is,
a secret on its way out answers nothing, 64 KiB is the end. It checks that requests are signed, not who signed them.

    with SecretsManager() as aws:
        client = boto3.client("secretsmanager", endpoint_url=aws.url, ...)

Source: the operations' pages below https://docs.aws.amazon.com/secretsmanager/latest/apireference/
"""

from __future__ import annotations

import json
import sys
import threading
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from rotator.testing.aws.operations import ACCOUNT, Store
from rotator.testing.aws.versions import CURRENT, PREVIOUS, AwsError, StoredSecret, Version

__all__ = ["CURRENT", "PREVIOUS", "AwsError", "SecretsManager", "StoredSecret", "Version"]

Fault = Literal["lose_request", "lose_answer", "throttle", "internal"]


class SecretsManager(Store):
    """The double. `url` is its endpoint; `requests` holds (operation, parameters) of all that arrived whole."""

    def __init__(self, region: str = "eu-central-1") -> None:
        """Listen on a free loopback port at once."""
        super().__init__(region)
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self._faults: list[list[Any]] = []
        self._denied: set[str] = set()
        self._lock = threading.RLock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        """Refuse connections from now on. Safe to call twice."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> SecretsManager:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def arm(self, operation: str, fault: Fault, times: int = 1, skip: int = 0) -> None:
        """Trouble for the next requests of `operation` (e.g. `PutSecretValue`), after `skip` of them went well."""
        with self._lock:
            self._faults.append([operation, fault, times, skip])

    def deny(self, *operations: str) -> None:
        """Answer AccessDeniedException to these operations from now on; to none if none is named."""
        with self._lock:
            self._denied = set(operations)

    def count(self, operation: str) -> int:
        """How many requests of `operation` arrived whole."""
        return sum(name == operation for name, _ in self.requests)

    def take_fault(self, operation: str) -> Fault | None:
        """The armed fault for this request, used up."""
        with self._lock:
            for armed in self._faults:
                if armed[0] == operation and armed[2] > 0:
                    if armed[3] > 0:
                        armed[3] -= 1
                        return None
                    armed[2] -= 1
                    fault: Fault = armed[1]
                    return fault
        return None

    def carry_out(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Do what an operation says, or raise AwsError."""
        with self._lock:
            self.requests.append((operation, dict(asked)))
            if operation in self._denied:
                raise AwsError(
                    "AccessDeniedException",
                    f"User: arn:aws:iam::{ACCOUNT}:user/test is not authorized to perform: secretsmanager:{operation}",
                )
            return super().carry_out(operation, asked)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent about clients that are gone: crash tests kill them in the middle of a request."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def _handler(double: SecretsManager) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """The AWS JSON 1.1 protocol (smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html)."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # header and body are two writes; without this each answer takes 40 ms

        def do_POST(self) -> None:
            operation = self.headers.get("X-Amz-Target", "").removeprefix("secretsmanager.")
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if len(body) < length:  # the client died while it sent
                self.close_connection = True
                return
            fault = double.take_fault(operation)
            if fault == "lose_request":
                self.close_connection = True
                return
            try:
                if fault == "throttle":
                    raise AwsError("ThrottlingException", "Rate exceeded")
                if fault == "internal":
                    raise AwsError("InternalServiceError", "An error occurred on the server side.", 500)
                if not self.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 "):
                    raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token")
                status, answer = 200, double.carry_out(operation, json.loads(body))
            except AwsError as error:
                status, answer = error.status, {"__type": error.code, "Message": error.message}
            if fault == "lose_answer":
                self.close_connection = True
                return
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent: request lines are noise in a test's output."""

    return Handler
