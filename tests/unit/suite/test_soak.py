"""What the long run calls growth."""

import random
from dataclasses import replace

from tests.soak import ALLOWED, Sample, judge, slope

REST = Sample(tokens=0, memory=150e6, files=60, threads=28, database=1e6, log=1e6)


def run(**growth: float) -> list[Sample]:
    """Samples of a run of 3,000 tokens in which each token adds what is said, and everything trembles."""
    dice = random.Random(1)
    return [
        replace(
            REST,
            tokens=tokens,
            **{name: getattr(REST, name) + tokens * each + dice.gauss(0, 3) for name, each in growth.items()},
        )
        for tokens in range(0, 3000, 3)
    ]


def test_a_slope_is_found_within_its_confidence():
    dice, along = random.Random(2), list(range(1200))
    found = slope(along, [5 + 2 * x + dice.gauss(0, 50) for x in along])

    assert abs(found.each - 2) <= 2 * found.within < 0.1


def test_what_trembles_without_growing_is_fine():
    assert judge("rest", run(**dict.fromkeys(ALLOWED, 0.0)))


def test_what_each_token_may_add_is_fine_and_more_is_not():
    for name, most in ALLOWED.items():
        assert judge(name, run(**{name: most * 0.9}))
        assert not judge(name, run(**{name: most * 1.1 + 0.01}))
