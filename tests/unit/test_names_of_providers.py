"""The core and the engine name no provider and no kind of target: whatever fulfils the ports is served."""

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "rotator"
NAMES = re.compile(r"cloudflare|vault|secrets.?manager|\br2\b|r2\.|env_file|github|token\.value", re.IGNORECASE)
DOCUMENTED = {("core/ports/source.py", "token.value"), ("core/ports/target.py", "token.value")}
"""Examples in the documentation of a port."""


@pytest.mark.parametrize(
    "file", sorted([*(PACKAGE / "core").rglob("*.py"), *(PACKAGE / "engine").rglob("*.py")]), ids=str
)
def test_no_provider_and_no_kind_of_target_is_named(file: Path):
    where = file.relative_to(PACKAGE).as_posix()
    found = {(where, match.group().lower()) for match in NAMES.finditer(file.read_text())}

    assert found <= DOCUMENTED
