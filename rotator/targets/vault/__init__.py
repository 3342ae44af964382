"""HashiCorp Vault and OpenBao: secrets of a KV version 2 mount."""

from rotator.config.kinds import TargetKind
from rotator.targets.vault.connection import VaultConnection
from rotator.targets.vault.options import VaultConnectionOptions, VaultTargetOptions, reach
from rotator.targets.vault.target import VaultTarget

KIND = TargetKind(
    options=VaultTargetOptions,
    place=lambda options: str(options.place),
    connection_type="vault",
    reach=reach,
)

__all__ = ["KIND", "VaultConnection", "VaultConnectionOptions", "VaultTarget", "VaultTargetOptions"]
