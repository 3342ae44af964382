"""What each operation of the strict double does to its secrets, as the operations' pages say."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from rotator.testing.aws.versions import CURRENT, AwsError, StoredSecret

ACCOUNT: Final = "123456789012"


class Store:
    """All secrets of one region."""

    def __init__(self, region: str) -> None:
        self.region = region
        self.secrets: dict[str, StoredSecret] = {}

    def carry_out(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Do what an operation says, or raise AwsError."""
        run = self.OPERATIONS.get(operation)
        if run is None:
            raise AwsError("UnknownOperationException", f"the double does not know {operation}")
        return run(self, asked)

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
            answer["VersionId"] = secret.add(asked, [CURRENT])
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
        id_ = secret.add(asked, labels)
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
            secret.label(goal, label)
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

    OPERATIONS: ClassVar[Mapping[str, Callable[[Store, Mapping[str, Any]], dict[str, Any]]]] = {
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


def _on_its_way_out() -> AwsError:
    return AwsError(
        "InvalidRequestException",
        "You can't perform this operation on the secret because it was marked for deletion.",
    )
