"""The ids of this program, each a type of its own, so that mypy sees where one is taken for another.

They are made in few places: where a row, an answer or a configuration is read, and where a random one is drawn. What
belongs to a person, such as the name of a credential or of a target, is a plain text.
"""

from __future__ import annotations

from typing import Final, NewType

CredentialId = NewType("CredentialId", str)
"""Of a configured credential, and of its stream in the journal; it survives a rename."""

RotationId = NewType("RotationId", str)
"""Of a rotation (rid); part of the names of the tokens that it mints."""

FactId = NewType("FactId", str)
"""Of a fact, drawn by its writer: by it an unknown COMMIT is read again."""

RequestId = NewType("RequestId", str)
"""Of an operator's request for a rotation."""

TokenId = NewType("TokenId", str)
"""Of a token, as its provider gave it."""

Fingerprint = NewType("Fingerprint", str)
"""Of a value: an HMAC under the sealed key of the instance."""

NO_CREDENTIAL: Final = CredentialId("")
NO_ROTATION: Final = RotationId("")
NO_FACT: Final = FactId("")
NO_REQUEST: Final = RequestId("")
NO_TOKEN: Final = TokenId("")
NO_VALUE: Final = Fingerprint("")
"""Where there is none: the empty text, as it stands in rows."""
