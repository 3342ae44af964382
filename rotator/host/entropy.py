"""The machine's randomness, behind a class so that the simulation can hand out repeatable bytes instead."""

import secrets
import uuid


class SystemEntropy:
    """The entropy port over the operating system's generator. Safe to share between threads and across forks."""

    def token_hex(self, size: int) -> str:
        """`size` random bytes as 2 x `size` lowercase hex digits; `size` >= 1."""
        if size < 1:
            raise ValueError("token_hex needs at least one byte")
        return secrets.token_hex(size)

    def uuid(self) -> str:
        """A random UUID (RFC 9562 version 4) in its 36-character form."""
        return str(uuid.uuid4())
