"""What happens to collectors. Each is a fact in the collector's own stream, named as its id."""

from typing import Any, Self

from carapulse.collection.model import Collector, Failure
from carapulse.kernel.canonical import digest
from carapulse.kernel.event import Event
from carapulse.redaction import redacted_text


def _names(collector: Collector) -> dict[str, Any]:
    return {"collector_id": collector.id, "name": collector.name, "system": collector.system}


class CollectorPut(Event):
    """A collector is new, or asks otherwise from now on."""

    collector_id: str
    name: str
    system: str
    every_s: int
    enabled: bool
    revision: int
    terms: str

    @classmethod
    def of(cls, collector: Collector) -> Self:
        """Return the fact about this collector; `terms` is the digest of all that people may change."""
        terms = digest(collector.terms.model_dump(mode="json"))
        facts = {name: getattr(collector, name) for name in ("every_s", "enabled", "revision")}
        return cls(**_names(collector), **facts, terms=terms)


class CollectorDeleted(Event):
    """A collector is gone, and with it what it said."""

    collector_id: str
    name: str
    system: str

    @classmethod
    def of(cls, collector: Collector) -> Self:
        """Return the fact about this collector."""
        return cls(**_names(collector))


class CollectionAsked(Event):
    """Somebody asked for a run out of turn."""

    collector_id: str
    name: str
    system: str
    run_id: str

    @classmethod
    def of(cls, collector: Collector, run_id: str) -> Self:
        """Return the fact about this run."""
        return cls(**_names(collector), run_id=run_id)


class CollectionFailed(Event):
    """A collector could not see everything, for the first time after it could, or for another reason than before."""

    collector_id: str
    name: str
    system: str
    run_id: str
    code: str
    read: str | None
    detail: str
    said: str | None

    @classmethod
    def of(cls, collector: Collector, run_id: str, failure: Failure) -> Self:
        """Return the fact about this run. The log never forgets, so what looks like a secret is blanked out again."""
        said = None if failure.said is None else redacted_text(failure.said)
        why = {"code": failure.code, "read": failure.read, "detail": redacted_text(failure.detail), "said": said}
        return cls(**_names(collector), run_id=run_id, **why)


class CollectionRecovered(Event):
    """A collector that had failed sees everything again."""

    collector_id: str
    name: str
    system: str
    run_id: str

    @classmethod
    def of(cls, collector: Collector, run_id: str) -> Self:
        """Return the fact about this run."""
        return cls(**_names(collector), run_id=run_id)
