"""Numbers that a running program keeps about itself, in Prometheus' form. Anybody may count; `/metrics` shows them.

The values of a label are listed where the metric is defined, so that no request can make the number of series grow;
what is not listed counts as `other`. A label that is given no list takes only names that the program itself chose.
"""

from collections.abc import Collection, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import generate_latest

Labels = Mapping[str, Collection[str] | None]

OTHER = "other"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

_registry = CollectorRegistry()
ProcessCollector(registry=_registry)


class Count:
    """Something that happens, counted since the program started; name it `carapulse_…_total`."""

    def __init__(self, name: str, meaning: str, labels: Labels | None = None) -> None:
        self._labels = labels or {}
        self._counter = Counter(name, meaning, tuple(self._labels), registry=_registry)

    def add(self, amount: float = 1, **values: str) -> None:
        """Count it."""
        counter = self._counter.labels(**_bounded(self._labels, values)) if self._labels else self._counter
        counter.inc(amount)


class Duration:
    """How long something takes, in seconds; name it `carapulse_…_seconds`."""

    def __init__(self, name: str, meaning: str, labels: Labels | None = None) -> None:
        self._labels = labels or {}
        self._histogram = Histogram(name, meaning, tuple(self._labels), registry=_registry, buckets=BUCKETS)

    def observe(self, seconds: float, **values: str) -> None:
        """Note one duration."""
        histogram = self._histogram.labels(**_bounded(self._labels, values)) if self._labels else self._histogram
        histogram.observe(seconds)


class Level:
    """How much of something there is right now."""

    def __init__(self, name: str, meaning: str, labels: Labels | None = None) -> None:
        self._labels = labels or {}
        self._gauge = Gauge(name, meaning, tuple(self._labels), registry=_registry)

    def set(self, amount: float, **values: str) -> None:
        """Say how much there is."""
        self._child(values).set(amount)

    def change(self, by: float, **values: str) -> None:
        """Say that there is more or less than before."""
        self._child(values).inc(by)

    def _child(self, values: Mapping[str, str]) -> Gauge:
        return self._gauge.labels(**_bounded(self._labels, values)) if self._labels else self._gauge


def show_metrics() -> bytes:
    """Return all numbers in Prometheus' text format."""
    return generate_latest(_registry)


def _bounded(labels: Labels, values: Mapping[str, str]) -> dict[str, str]:
    return {name: _listed(labels.get(name), value) for name, value in values.items()}


def _listed(allowed: Collection[str] | None, value: str) -> str:
    return value if allowed is None or value in allowed else OTHER


_said: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}


def grown() -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield every number that only grows and has grown since it was yielded last: its name, labels, and by how much."""
    for family in _registry.collect():
        for sample in family.samples:
            if family.type not in {"counter", "histogram"} or not sample.name.endswith(("_total", "_count", "_sum")):
                continue
            key = (sample.name, tuple(sorted(sample.labels.items())))
            by = sample.value - _said.get(key, 0.0)
            if by > 0 and sample.name.startswith("carapulse_"):
                _said[key] = sample.value
                yield sample.name, dict(sample.labels), by
