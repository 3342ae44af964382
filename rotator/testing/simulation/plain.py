"""What the ports of a simulated process answer without passing any door: the same in every simulated world."""

from __future__ import annotations

from collections.abc import Mapping

from rotator.core.credential import EVERYTHING, Can, Credential
from rotator.core.ids import NO_CREDENTIAL, CredentialId, TokenId
from rotator.core.plain import Json
from rotator.core.ports.source import Looks, Shape, TokenState
from rotator.core.secret import Secret


class PlainSource:
    """Those parts of the source port that ask nobody; `mutants` are habits that a run leaves out."""

    mutants: frozenset[str] = frozenset()
    principal = TokenId("management")
    values: tuple[str, ...] = ("token.value",)

    @property
    def can(self) -> Can:
        """See the port."""
        return EVERYTHING

    @property
    def verifies(self) -> bool:
        """See the port."""
        return True

    def looks_like(self, text: Secret, key: str, *, adopted: bool) -> Shape:
        """Values of the simulated provider are `v` and a number."""
        found = text.reveal()
        if "send_anything" in self.mutants:
            return Shape(Looks.OWN, "a value")
        if found == "changeme":
            return Shape(Looks.PLACEHOLDER, "a placeholder")
        own = found[:1] == "v" and found[1:].isdigit()
        return Shape(Looks.OWN, "a value") if own else Shape(Looks.OTHER, "something else")

    def compared(self, state: TokenState) -> TokenState:
        """The rows of the simulated list are compared already."""
        return state

    def like(self, state: TokenState) -> Json:
        """Nobody makes tokens like others here."""
        return None

    def control(self) -> bool:
        """See the port."""
        return True

    def outputs(self, token_id: TokenId, value: Secret, expires_at: float) -> Mapping[str, Secret]:
        """See the port."""
        return {"token.value": value}

    def constants(self) -> Mapping[str, Secret]:
        """See the port."""
        return {}


class PlainFleet:
    """Those parts of the fleet that know of no incident and of no other place."""

    def reached(self, credential: Credential, target: str, answered: bool) -> None:
        """See the port."""

    def died(self, credential: Credential, dead: bool) -> None:
        """See the port."""

    def listed(self, credential: Credential) -> float:
        """Every listing is new."""
        return 0.0

    def peers(self, credential: Credential) -> Mapping[CredentialId, str]:
        """See the port."""
        return {}

    def serves(self, place: str, by: CredentialId = NO_CREDENTIAL) -> bool:
        """Whoever is at a place stays there, and nobody else comes."""
        return by != NO_CREDENTIAL

    def incident(self, connection: str) -> bool:
        """See the port."""
        return False
