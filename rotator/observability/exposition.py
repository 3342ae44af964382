"""Samples by the name of their metric, and how they become a page of the library, in the order of the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from rotator.observability.families import FAMILIES, Family

Labels = tuple[str, ...]
Samples = dict[str, list[tuple[Labels, float]]]


def add(samples: Samples, name: str, labels: Labels, value: float) -> None:
    """Add one sample to those of a metric."""
    samples.setdefault(name, []).append((labels, float(value)))


class Page(Collector):
    """Turns samples into the library's families, in the order of the table."""

    def __init__(self, samples: Callable[[], Samples]) -> None:
        self._samples = samples

    def collect(self) -> Iterable[Metric]:
        """Yield every family, those without samples too: a page always names what it could show."""
        samples = self._samples()
        for family in FAMILIES:
            yield _family(family, samples.get(family.name, []))


def _family(family: Family, samples: Iterable[tuple[Labels, float]]) -> Metric:
    if family.kind == "histogram":
        histogram = HistogramMetricFamily(family.name, family.meaning)
        found = {labels[0]: value for labels, value in samples}
        total = found.pop("sum")
        histogram.add_metric([], list(found.items()), total)
        return histogram
    made: CounterMetricFamily | GaugeMetricFamily = (
        CounterMetricFamily(family.name, family.meaning, labels=family.labels)
        if family.kind == "counter"
        else GaugeMetricFamily(family.name, family.meaning, labels=family.labels)
    )
    for labels, value in samples:
        made.add_metric(labels, value)
    return made
