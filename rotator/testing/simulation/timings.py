"""How long things take in a simulated world, in seconds: the policy of its credentials, and what the judge goes by."""

from __future__ import annotations

from typing import Final

LIFE: Final = 6000.0
RENEW: Final = 2000.0
GRACE: Final = 600.0
QUIET: Final = 300.0
SOAK: Final = 200.0
SETTLE: Final = 60.0

PATIENCE: Final = 1000.0
"""How long after an outage of a place the judge forgives what could not be done there."""
