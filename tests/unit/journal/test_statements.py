"""How statements name what they are given, so that every Python that is supported takes them."""

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[3] / "rotator"
NUMBERED = re.compile(r"\"[^\"\n]*[ (,]\?[1-9][^\"\n]*\"")


@pytest.mark.parametrize("file", sorted((PACKAGE / "journal").rglob("*.py")), ids=lambda file: file.stem)
def test_no_parameter_is_numbered(file):
    """Python 3.12.0 and 3.12.1 take `?1` for a name, and warn of a sequence that is given for it."""
    assert NUMBERED.findall(file.read_text()) == []
