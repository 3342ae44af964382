"""The name convention: which names follow a pattern, and which patterns are refused."""

import pytest
from pydantic import ValidationError

from rotator.config.naming import Names


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("{purpose}-{env}-{owner}", "deploy-prod-web", True),
        ("{purpose}-{env}-{owner}", "deploy.v2-prod-web_team", True),
        ("{purpose}-{env}-{owner}", "deploy-prod", False),
        ("{purpose}-{env}-{owner}", "workers-deploy-prod-web", False),
        ("{purpose}-{env}-{owner}", "-prod-web", False),
        ("{purpose}-{env:dev|prod}", "deploy-dev", True),
        ("{purpose}-{env:dev|prod}", "deploy-qa", False),
        ("cf.{purpose}", "cf.deploy now", True),
        ("cf.{purpose}", "cfxdeploy", False),
        ("{anything}", "whatever it is", True),
    ],
)
def test_a_name_follows_a_pattern(pattern, name, fits):
    assert Names(pattern=pattern).fits(name) is fits


@pytest.mark.parametrize("pattern", ["deploy", "{purpose}{env}", "{purpose", "purpose}-{env}", "{Purpose}", "{}", ""])
def test_a_pattern_that_means_nothing_is_refused(pattern):
    with pytest.raises(ValidationError):
        Names(pattern=pattern)
