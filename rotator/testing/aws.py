"""A strict double of AWS Secrets Manager over HTTP, for tests: the operations that a rotator needs, as documented.

It is strict where doubles tend to be kind: one version id never holds two texts, a label moves only from where it is,
a secret on its way out answers nothing, 64 KiB is the end. It checks that requests are signed, not who signed them.

    with SecretsManager() as aws:
        client = boto3.client("secretsmanager", endpoint_url=aws.url, ...)

Source: the operations' pages below https://docs.aws.amazon.com/secretsmanager/latest/apireference/
"""

from __future__ import annotations

import json
import re
import secrets
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final, Literal

Fault = Literal["lose_request", "lose_answer", "throttle", "internal"]

CURRENT: Final = "AWSCURRENT"
PREVIOUS: Final = "AWSPREVIOUS"
LARGEST: Final = 65536
VERSIONS_A_DAY: Final = 100
LABELS_A_VERSION: Final = 20
ACCOUNT: Final = "123456789012"


class AwsError(Exception):
    """An error answer: its code and its text."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass
class Version:
    """One version of a secret."""

    text: str | None
    binary: str | None
    created: float
    labels: set[str] = field(default_factory=set)


@dataclass
class StoredSecret:
    """One secret; tests may set `rotation_enabled`, `owning_service` and `replicas`."""

    name: str
    arn: str
    versions: dict[str, Version] = field(default_factory=dict)
    deleted: float | None = None
    rotation_enabled: bool = False
    owning_service: str = ""
    replicas: list[dict[str, str]] = field(default_factory=list)
    tags: list[dict[str, str]] = field(default_factory=list)

    def holder(self, label: str) -> str | None:
        """The id of the version that wears the label."""
        return next((id_ for id_, version in self.versions.items() if label in version.labels), None)


class SecretsManager:
    """The double. `url` is its endpoint; `requests` holds (operation, parameters) of all that arrived whole."""

    def __init__(self, region: str = "eu-central-1") -> None:
        """Listen on a free loopback port at once."""
        self.region = region
        self.secrets: dict[str, StoredSecret] = {}
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

    # ---------------------------------------------------------------------------------------------- dispatch
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

    def carry_out(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Do what an operation says, or raise AwsError."""
        with self._lock:
            self.requests.append((operation, parameters))
            if operation in self._denied:
                raise AwsError(
                    "AccessDeniedException",
                    f"User: arn:aws:iam::{ACCOUNT}:user/test is not authorized to perform: secretsmanager:{operation}",
                )
            run = self._OPERATIONS.get(operation)
            if run is None:
                raise AwsError("UnknownOperationException", f"the double does not know {operation}")
            return run(self, parameters)

    # ---------------------------------------------------------------------------------------------- operations
    def _create(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        name = asked.get("Name", "")
        if not re.fullmatch(r"[A-Za-z0-9/_+=.@-]{1,512}", name):
            raise AwsError("InvalidParameterException", "Invalid name.")
        if name in self.secrets:
            if self.secrets[name].deleted is not None:
                raise AwsError("InvalidRequestException", "A secret with this name is already scheduled for deletion.")
            raise AwsError("ResourceExistsException", f"The operation failed because the secret {name} already exists.")
        suffix = secrets.token_hex(3)
        secret = StoredSecret(name, f"arn:aws:secretsmanager:{self.region}:{ACCOUNT}:secret:{name}-{suffix}")
        secret.tags = list(asked.get("Tags") or ())
        answer = {"ARN": secret.arn, "Name": name}
        if "SecretString" in asked or "SecretBinary" in asked:
            answer["VersionId"] = self._add(secret, asked, [CURRENT])
        self.secrets[name] = secret
        return answer

    def _describe(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        secret = self._find(asked)
        answer: dict[str, Any] = {
            "ARN": secret.arn,
            "Name": secret.name,
            "Tags": secret.tags,
            "VersionIdsToStages": {
                id_: sorted(version.labels) for id_, version in secret.versions.items() if version.labels
            },
        }
        # "Secrets Manager only returns fields that have a value in the response."
        answer |= {"DeletedDate": secret.deleted} if secret.deleted is not None else {}
        answer |= {"RotationEnabled": True} if secret.rotation_enabled else {}
        answer |= {"OwningService": secret.owning_service} if secret.owning_service else {}
        answer |= {"ReplicationStatus": secret.replicas} if secret.replicas else {}
        return answer

    def _get(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        secret = self._alive(asked)
        wanted, label = asked.get("VersionId"), asked.get("VersionStage")
        id_ = wanted or secret.holder(label or CURRENT)
        version = secret.versions.get(id_ or "")
        if version is None or id_ is None:
            by = f"version: {wanted}" if wanted else f"staging label: {label or CURRENT}"
            raise AwsError(
                "ResourceNotFoundException", f"Secrets Manager can't find the specified secret value for {by}"
            )
        if wanted and label and label not in version.labels:
            raise AwsError(
                "InvalidRequestException", "You provided a VersionStage that is not associated to the version."
            )
        content = {"SecretString": version.text} if version.text is not None else {"SecretBinary": version.binary}
        return {
            "ARN": secret.arn,
            "Name": secret.name,
            "VersionId": id_,
            "VersionStages": sorted(version.labels),
            "CreatedDate": version.created,
            **content,
        }

    def _put(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        secret = self._alive(asked)
        if secret.owning_service:
            raise AwsError("InvalidRequestException", "The secret is managed by another service.")
        labels = asked.get("VersionStages") or [CURRENT]
        # "the first version for the secret: Secrets Manager automatically attaches the staging label AWSCURRENT to it"
        if not secret.versions:
            labels = [*labels, CURRENT]
        id_ = self._add(secret, asked, labels)
        return {
            "ARN": secret.arn,
            "Name": secret.name,
            "VersionId": id_,
            "VersionStages": sorted(secret.versions[id_].labels),
        }

    def _move(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        secret = self._alive(asked)
        label, source, goal = asked["VersionStage"], asked.get("RemoveFromVersionId"), asked.get("MoveToVersionId")
        for id_ in (source, goal):
            if id_ is not None and id_ not in secret.versions:
                raise AwsError("ResourceNotFoundException", f"Secrets Manager can't find the version {id_}.")
        holder = secret.holder(label)
        if holder is not None and holder != source and holder != goal:
            raise AwsError(
                "InvalidParameterException",
                f"The parameter RemoveFromVersionId can't be empty or another version. Staging label {label} is "
                f"currently attached to version {holder}, so you must explicitly reference that version in "
                "RemoveFromVersionId.",
            )
        if source is not None and holder != source:
            raise AwsError("InvalidParameterException", f"Staging label {label} is not attached to version {source}.")
        if goal is None:
            if label == CURRENT:
                raise AwsError("InvalidParameterException", "You can't remove AWSCURRENT without moving it.")
            if source is None:
                raise AwsError("InvalidParameterException", "You must name a version.")
            secret.versions[source].labels.discard(label)
        else:
            self._label(secret, goal, label)
        return {"ARN": secret.arn, "Name": secret.name}

    def _delete(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        secret = self._find(asked)
        days = asked.get("RecoveryWindowInDays", 30)
        if asked.get("ForceDeleteWithoutRecovery"):
            del self.secrets[secret.name]
            return {"ARN": secret.arn, "Name": secret.name, "DeletionDate": time.time()}
        if not 7 <= days <= 30:
            raise AwsError("InvalidParameterException", "The recovery window is between 7 and 30 days.")
        if secret.deleted is not None:
            raise _on_its_way_out()
        secret.deleted = time.time() + days * 86400
        return {"ARN": secret.arn, "Name": secret.name, "DeletionDate": secret.deleted}

    def _restore(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        secret = self._find(asked)
        secret.deleted = None
        return {"ARN": secret.arn, "Name": secret.name}

    def _rotate(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        secret = self._alive(asked)
        if any("AWSPENDING" in v.labels and CURRENT not in v.labels for v in secret.versions.values()):
            raise AwsError("InvalidRequestException", "A previous rotation isn't complete.")
        secret.rotation_enabled = True
        return {"ARN": secret.arn, "Name": secret.name}

    def _cancel_rotate(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        secret = self._alive(asked)
        secret.rotation_enabled = False
        return {"ARN": secret.arn, "Name": secret.name}

    def _tag(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        secret = self._alive(asked)
        added = {tag["Key"]: tag for tag in asked["Tags"]}
        secret.tags = [tag for tag in secret.tags if tag["Key"] not in added] + list(added.values())
        return {}

    _OPERATIONS: ClassVar[Mapping[str, Callable[[SecretsManager, Mapping[str, Any]], dict[str, Any]]]] = {
        "CreateSecret": _create,
        "DescribeSecret": _describe,
        "GetSecretValue": _get,
        "PutSecretValue": _put,
        "UpdateSecretVersionStage": _move,
        "DeleteSecret": _delete,
        "RestoreSecret": _restore,
        "RotateSecret": _rotate,
        "CancelRotateSecret": _cancel_rotate,
        "TagResource": _tag,
    }

    # ---------------------------------------------------------------------------------------------- rules
    def _find(self, asked: Mapping[str, Any]) -> StoredSecret:
        wanted = asked.get("SecretId", "")
        for secret in self.secrets.values():
            if wanted in {secret.name, secret.arn, secret.arn.rpartition("-")[0]}:
                return secret
        raise AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")

    def _alive(self, asked: Mapping[str, Any]) -> StoredSecret:
        secret = self._find(asked)
        if secret.deleted is not None:
            raise _on_its_way_out()
        return secret

    def _add(self, secret: StoredSecret, asked: Mapping[str, Any], labels: list[str]) -> str:
        """Add a version; the same id with the same content is ignored, with other content an error."""
        text, binary = asked.get("SecretString"), asked.get("SecretBinary")
        if (text is None) == (binary is None):
            raise AwsError("InvalidParameterException", "You must provide either SecretString or SecretBinary.")
        if not 1 <= len((text or binary or "").encode()) <= LARGEST:
            raise AwsError("ValidationException", "Member must have length between 1 and 65536.")
        id_ = asked.get("ClientRequestToken") or str(uuid.uuid4())
        if not 32 <= len(id_) <= 64:
            raise AwsError("InvalidParameterException", "ClientRequestToken must be 32-64 characters long.")
        known = secret.versions.get(id_)
        if known is not None:
            if (known.text, known.binary) != (text, binary):
                raise AwsError(
                    "ResourceExistsException",
                    "You can't use the same ClientRequestToken for a secret value that is different.",
                )
            return str(id_)
        young = sum(version.created > time.time() - 86400 for version in secret.versions.values())
        if young >= VERSIONS_A_DAY:
            raise AwsError("LimitExceededException", "You have reached the quota of versions of this secret.")
        secret.versions[id_] = Version(text, binary, time.time())
        for label in dict.fromkeys(labels):
            self._label(secret, id_, label)
        return str(id_)

    def _label(self, secret: StoredSecret, id_: str, label: str) -> None:
        """Attach a label that may be attached elsewhere; AWSPREVIOUS follows AWSCURRENT by itself."""
        if len(secret.versions[id_].labels | {label}) > LABELS_A_VERSION:
            raise AwsError("LimitExceededException", "A version can have at most 20 staging labels.")
        holder = secret.holder(label)
        if holder == id_:
            return
        if holder is not None:
            secret.versions[holder].labels.discard(label)
        secret.versions[id_].labels.add(label)
        if label == CURRENT and holder is not None:
            secret.versions[id_].labels.discard(PREVIOUS)
            self._label(secret, holder, PREVIOUS)


def _on_its_way_out() -> AwsError:
    return AwsError(
        "InvalidRequestException",
        "You can't perform this operation on the secret because it was marked for deletion.",
    )


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
