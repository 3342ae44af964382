"""One AWS secret as a target: a pending version, verified by its id, then made AWSCURRENT in place of the expected one.

Consumers of AWSCURRENT see the old or the new secret and nothing between. Every step may be repeated: the version's id
is made of the rotation and of a keyed digest of the whole text, and a label that stands already is not moved again.

API: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rotator.core.errors import OutcomeUnknown, Refused, Unavailable
from rotator.core.ports.target import Evidence, Publication, Reading, Remark
from rotator.core.secret import Secret
from rotator.host.crashpoints import crash_at
from rotator.targets.aws_secrets_manager.client import Client, Denied, Missing
from rotator.targets.aws_secrets_manager.connection import AwsConnection
from rotator.targets.aws_secrets_manager.document import NotThisFormat, values_in, with_values
from rotator.targets.aws_secrets_manager.options import AwsTargetOptions
from rotator.targets.merging import merge, require_managed

CURRENT: Final = "AWSCURRENT"
PENDING: Final = "ROTATOR_PENDING"
"""A label of our own: an AWSPENDING that a crash left behind would break AWS's own rotation if that is ever used."""

LARGEST: Final = 65536
"""Bytes of a secret: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html"""

_NAMESPACE: Final = uuid.UUID("6f7d4b0e-5d0c-5c8e-9a53-3c6f2f2b7a11")
_NO_VERSION: Final = "00000000-0000-0000-0000-000000000000"


def no_warning(code: str, message: str) -> None:
    """Take a warning and drop it."""


@dataclass(frozen=True, slots=True)
class _Stand:
    """The version that is AWSCURRENT and its text; both empty where the secret has none yet."""

    version: str
    text: str


class AwsSecretsManagerTarget:
    """Fulfils `rotator.core.ports.target.Target` for one secret."""

    def __init__(
        self,
        connection: AwsConnection,
        options: AwsTargetOptions,
        keys: Mapping[str, str],
        *,
        crash: Callable[[str], None] = crash_at,
        warn: Callable[[str, str], None] = no_warning,
    ) -> None:
        """Nothing is sent.

        Args:
            connection: shared by the targets of this connection; not closed by `close`.
            options: validated.
            keys: managed key -> output name or `literal:TEXT`; exactly one for `format: string`.
            crash: passes a named crash point.
            warn: takes (code, message) of what an operator should know though the value is published.

        Raises:
            ValueError: several keys for a secret that is one string.
        """
        if options.format == "string" and len(keys) != 1:
            raise ValueError("a secret that is one string has exactly one key")
        self._connection = connection
        self._secret = options.secret
        self._format = options.format
        self._keys = dict(keys)
        self._crash = crash
        self._warn = warn
        self._what = f"aws_secrets_manager:{options.place}"

    @property
    def evidence(self) -> Evidence:
        """The values can be read back."""
        return Evidence.VALUE

    @property
    def keys(self) -> Mapping[str, str]:
        """Managed key -> name of the source's output, or `literal:TEXT`."""
        return self._keys

    def check(self) -> Sequence[Remark]:
        """Prove that a write would be allowed now: the secret's state, its format, and the right to move a label.

        AWS has no dry run. Removing our label from a version that cannot exist changes nothing, and is denied without
        the right to it; the right to put a version cannot be asked for and goes with it in the policy of the docs.

        Raises:
            Refused: a certain no.
            Unavailable: AWS gave no usable answer.
        """
        doing = f"checking {self._what}"
        with self._connection.open() as client:
            try:
                about = self._require_ours(client, doing)
                self._values(self._stand(client, doing), doing)
            except Denied as error:
                raise Refused(error.message, error.remedy, code=error.code) from None
            try:
                client.ask(
                    "update_secret_version_stage",
                    doing=doing,
                    effect=True,
                    SecretId=self._secret,
                    VersionStage=PENDING,
                    RemoveFromVersionId=_NO_VERSION,
                )
            except OutcomeUnknown as error:
                raise Unavailable(error.message, error.remedy) from None
            except Refused as error:
                if error.code in ("permission", "login"):
                    raise
        return self._lagging_replicas(about)

    def read(self) -> Reading:
        """Read the managed keys of AWSCURRENT over a new connection; a secret without a value is an empty reading.

        Raises:
            Unavailable: there is no usable answer, or the text is not in the configured format.
        """
        doing = f"reading {self._what}"
        with self._connection.open() as client:
            stand = self._stand(client, doing)
        try:
            return Reading(version=stand.version, values=self._values(stand, doing))
        except Refused as error:
            raise Unavailable(error.message, error.remedy) from None

    def write(self, publication: Publication) -> None:
        """Put a pending version, read it back by its id, move AWSCURRENT to it, take the pending label off.

        A crash leaves the old or the new secret current, and perhaps a version that is not; the same publication again
        finds it and goes on.

        Raises:
            Conflict: a managed key holds something else than expected, or others change the secret without pause.
            Fenced: from `still_mine`; what consumers read is as it was.
            Refused: a certain no.
            Unavailable: AWSCURRENT was certainly not moved.
            OutcomeUnknown: it may have been.
        """
        require_managed(publication, self._keys)
        doing = f"writing {self._what}"
        with self._connection.open() as client:
            self._require_ours(client, doing)
            merge(
                doing,
                publication,
                look=lambda: self._stand(client, doing),
                managed=lambda stand: self._values(stand, doing),
                put=lambda stand: self._publish(client, publication, stand, doing),
            )
            self._tidy(client, doing)

    def _require_ours(self, client: Client, doing: str) -> dict[str, Any]:
        """Describe the secret; refuse one that is missing, on its way out, or rotated by AWS itself."""
        try:
            about = client.ask("describe_secret", doing=doing, SecretId=self._secret)
        except Missing:
            raise Refused(
                f"{doing}: there is no such secret in this region and account",
                f"create it empty: aws secretsmanager create-secret --name {self._secret}",
                code="not_found",
            ) from None
        if about.get("DeletedDate"):
            raise Refused(
                f"{doing}: the secret is scheduled for deletion",
                f"aws secretsmanager restore-secret --secret-id {self._secret}, or take the target out",
                code="deleted",
            )
        if about.get("RotationEnabled"):
            raise Refused(
                f"{doing}: Secrets Manager rotates this secret itself; two rotators would undo each other",
                f"aws secretsmanager cancel-rotate-secret --secret-id {self._secret}, or name another secret",
                code="rotated_by_aws",
            )
        primary = about.get("PrimaryRegion")
        if primary and primary != client.region:
            raise Refused(
                f"{doing}: in {client.region} it is a replica, which nobody may write; its primary is in {primary}",
                f"write `region: {primary}` into the connection; the replica follows",
                code="replica",
            )
        if about.get("OwningService"):
            raise Refused(
                f"{doing}: the secret is managed by {about['OwningService']}", "name another secret", code="managed"
            )
        return about

    def _stand(self, client: Client, doing: str) -> _Stand:
        try:
            # Always by its label: a double of AWS that is widely used answers an old version without one.
            found = client.ask("get_secret_value", doing=doing, SecretId=self._secret, VersionStage=CURRENT)
        except Missing:
            return _Stand("", "")
        if "SecretString" not in found:
            raise Unavailable(f"{doing}: the secret is binary", "store text in it, or name another secret")
        return _Stand(str(found["VersionId"]), str(found["SecretString"]))

    def _values(self, stand: _Stand, doing: str) -> dict[str, Secret]:
        try:
            return values_in(stand.text, self._keys, self._format)
        except NotThisFormat:
            if self._format == "string":
                raise Refused(
                    f"{doing}: the secret is a JSON object, and `format: string` would replace all of it",
                    "set `format: json` to write one key of it, or name another secret",
                    code="format",
                ) from None
            raise Refused(
                f"{doing}: the secret is not a JSON object",
                "set `format: string` if all of it is the token, or store a JSON object in it",
                code="format",
            ) from None

    def _publish(self, client: Client, publication: Publication, stand: _Stand, doing: str) -> bool:
        """Make the merged text current; False when somebody else moved AWSCURRENT first and nothing was moved."""
        text = with_values(stand.text, publication.values, self._format)
        if len(text.encode()) > LARGEST:
            raise Refused(
                f"{doing}: the secret would be longer than {LARGEST} bytes", "move other keys elsewhere", code="too_big"
            )
        version = self._version(publication, text)
        self._put(client, publication, stand, version, text, doing)
        self._verify(client, version, text, doing)
        if not stand.version and self._stand(client, doing).version == version:
            return True  # the first version of a secret is AWSCURRENT at once
        return self._move(client, publication, stand, version, doing)

    def _put(
        self, client: Client, publication: Publication, stand: _Stand, version: str, text: str, doing: str
    ) -> None:
        """Put a pending version; fenced like the move, because the first version becomes AWSCURRENT at once."""
        publication.still_mine()
        self._crash("before_aws_put")
        try:
            client.ask(
                "put_secret_value",
                doing=doing,
                effect=True,
                hidden=(Secret(text), *publication.values.values()),
                SecretId=self._secret,
                ClientRequestToken=version,
                SecretString=text,
                VersionStages=[PENDING],
            )
        except OutcomeUnknown as error:
            if stand.version:
                raise Unavailable(error.message, error.remedy) from None
            raise
        self._crash("after_aws_put")

    def _move(self, client: Client, publication: Publication, stand: _Stand, version: str, doing: str) -> bool:
        """Move AWSCURRENT from the version that was read to ours; False where it is not there any more."""
        publication.still_mine()
        expected = {"RemoveFromVersionId": stand.version} if stand.version else {}
        self._crash("before_aws_move_stage")
        try:
            client.ask(
                "update_secret_version_stage",
                doing=doing,
                effect=True,
                hidden=tuple(publication.values.values()),
                SecretId=self._secret,
                VersionStage=CURRENT,
                MoveToVersionId=version,
                **expected,
            )
        except Refused as error:
            if error.code != "bad_request":
                raise
            return False  # the label is not where it was: another writer, or our own lost answer; reading tells
        self._crash("after_aws_move_stage")
        return True

    def _verify(self, client: Client, version: str, text: str, doing: str) -> None:
        try:
            found = client.ask("get_secret_value", doing=doing, SecretId=self._secret, VersionId=version)
        except Missing as error:
            raise OutcomeUnknown(f"{doing}: the pending version is not there yet", error.remedy) from None
        if not hmac.compare_digest(str(found.get("SecretString", "")).encode(), text.encode()):
            raise Refused(
                f"{doing}: the pending version {version} holds something else than what was put",
                "look in CloudTrail who wrote it; it was not made current",
                code="exists",
            )

    def _version(self, publication: Publication, text: str) -> str:
        """The id of the version that holds `text`: equal for equal publications, and no plain digest of a value."""
        key = hashlib.sha256(f"rotator version id\n{publication.rid}".encode()).digest()
        digest = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        return str(uuid.uuid5(_NAMESPACE, f"{publication.rid}\n{self._secret}\n{digest}"))

    def _tidy(self, client: Client, doing: str) -> None:
        """Take our pending label off; a label that stays is untidy and no more, so what fails here is a warning."""
        try:
            about = client.ask("describe_secret", doing=doing, SecretId=self._secret)
            for version, labels in (about.get("VersionIdsToStages") or {}).items():
                if PENDING in labels:
                    self._crash("before_aws_remove_pending")
                    client.ask(
                        "update_secret_version_stage",
                        doing=doing,
                        effect=True,
                        SecretId=self._secret,
                        VersionStage=PENDING,
                        RemoveFromVersionId=version,
                    )
                    self._crash("after_aws_remove_pending")
            for lagging in self._lagging_replicas(about):
                self._warn(lagging.code, lagging.message)
        except (Unavailable, Refused, OutcomeUnknown) as error:
            self._warn("pending_label_left", error.message)

    def _lagging_replicas(self, about: Mapping[str, Any]) -> list[Remark]:
        return [
            Remark(
                code="replica_failed",
                message=f"{self._what}: its replica in {replica.get('Region')} does not follow: "
                f"{' '.join(str(replica.get('StatusMessage', '')).split())[:200]}",
                remedy="`aws secretsmanager replicate-secret-to-regions` tries again; readers there have an old value",
            )
            for replica in about.get("ReplicationStatus") or ()
            if replica.get("Status") == "Failed"
        ]
