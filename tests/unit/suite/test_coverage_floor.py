"""The floors of the coverage: sums per package, and when a run fails."""

import pytest

from tests.coverage_floor import Covered, by_package, package_of, table, verdict


def file(statements, lines, branches=0, covered=0):
    return {
        "summary": {
            "num_statements": statements,
            "covered_lines": lines,
            "num_branches": branches,
            "covered_branches": covered,
        }
    }


@pytest.mark.parametrize(
    ("path", "package"),
    [
        ("rotator/engine/look.py", "rotator.engine"),
        ("rotator/core/protocol/rules.py", "rotator.core"),
        ("rotator/daemon.py", "rotator"),
    ],
)
def test_a_file_counts_for_the_package_below_the_top(path, package):
    assert package_of(path) == package


def test_statements_and_branches_of_a_packages_files_are_summed_up():
    report = {"files": {"rotator/web/a.py": file(10, 10, 4, 2), "rotator/web/b/c.py": file(6, 6)}}

    (web,) = by_package(report)
    assert (web.could, web.did, web.percent) == (20, 18, 90.0)


def test_the_package_that_misses_most_comes_first():
    report = {"files": {f"rotator/{name}/a.py": file(100, lines) for name, lines in (("web", 92), ("core", 99))}}

    assert [one.package for one in by_package(report)] == ["rotator.core", "rotator.web"]


@pytest.mark.parametrize(
    ("package", "did", "code"),
    [
        ("rotator.core", 10_000, 0),
        ("rotator.core", 9_999, 1),
        ("rotator.engine", 9_500, 0),
        ("rotator.journal", 9_499, 1),
        ("rotator.web", 9_000, 0),
        ("rotator.web", 8_999, 1),
    ],
)
def test_a_package_under_its_floor_fails_the_run(package, did, code):
    assert verdict([Covered("rotator.cli", 10, 10), Covered(package, 10_000, did)], required=True) == code


def test_targets_count_where_every_server_is_required():
    low = [Covered("rotator.targets", 10, 1)]

    assert (verdict(low, required=True), verdict(low, required=False)) == (1, 0)


def test_the_table_is_aligned_and_never_rounds_up():
    assert table([Covered("rotator.core", 10_000, 9_999), Covered("rotator.sandbox", 10, 10)]) == [
        "package          covered  floor",
        "rotator.core       99.9%   100%  TOO LOW",
        "rotator.sandbox   100.0%    90%",
    ]
