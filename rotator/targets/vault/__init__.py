"""HashiCorp Vault and OpenBao: secrets of a KV version 2 mount. What a configuration needs stands here."""

from rotator.config.kinds import TargetKind
from rotator.targets.vault.options import VaultConnectionOptions, VaultTargetOptions, complaints, reach

KIND = TargetKind(
    options=VaultTargetOptions,
    place=lambda options: str(options.place),
    connection_type="vault",
    reach=reach,
    check=complaints,
)

__all__ = ["KIND", "VaultConnectionOptions", "VaultTargetOptions"]
