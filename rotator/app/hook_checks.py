"""What `check` finds out about `after_publish`: whether each hook could be run now. It starts nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rotator.app.hooks import hooks_of
from rotator.config.models import Config
from rotator.core.errors import Refused
from rotator.core.findings import Finding, Level, Subject, of_credential


def after_publish(config: Config) -> Iterator[Finding]:
    """Return one finding for each hook of each target; one that would fail is a warning, for it holds up nothing."""
    for credential in config.credentials:
        for target in credential.targets:
            for hook in hooks_of(target):
                yield _looked(of_credential(credential.name).at(target.name), hook.name, hook.look)


def _looked(subject: Subject, name: str, look: Callable[[], None]) -> Finding:
    code = "after_publish"
    try:
        look()
    except Refused as error:
        said = f"after_publish {name}: {error.message}"
        return Finding(level=Level.WARN, subject=subject, code=code, message=said, remedy=error.remedy)
    return Finding(level=Level.OK, subject=subject, code=code, message=f"after_publish {name}: could be done now")
