"""What a change costs, in lines of bills: what was counted, what is assumed, and what is asked for it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from docs.tables import code
from infra.aws.template import load

ROOT: Final = Path(__file__).parents[1]
VOLUMES: Final = (100, 10_000, 1_000_000)
BROUGHT_BY: Final = {
    "api": "api",
    "executions": "execution",
    "approvals": "approvals",
    "planning": "planning",
    "orchestration": "orchestration",
}


@dataclass(frozen=True)
class Line:
    """One line of a bill: so much of something a change, and so much a month whatever is changed."""

    price: str
    of: str
    each: float
    monthly: float = 0.0


@dataclass(frozen=True)
class Costs:
    """What was counted, what is assumed, and what is asked for it."""

    counts: dict[str, Any]
    assumed: dict[str, Any]
    prices: dict[str, Any]

    @classmethod
    def kept(cls) -> "Costs":
        """Return what docs/costs holds."""
        read = [yaml.safe_load((ROOT / "docs" / "costs" / f"{name}.yml").read_text()) for name in _FILES]
        return cls(*read)

    def invocations(self, driver: str = "change") -> Mapping[str, float]:
        """Return how often a change invokes each function, by messages alone or carried by a machine."""
        asked = self.counts[driver]["asked"]
        return {name: count for name, count in asked.items() if name in BROUGHT_BY}

    def seconds(self, function: str) -> float:
        """Return how long an invocation takes one whole processor, with its share of beginning anew."""
        cold = self.assumed["cold"]
        return float(self.counts["seconds"][function] + cold["share"] * cold["seconds"])

    def waits(self) -> float:
        """Return for how many seconds a change waits for its tools."""
        return float(self.counts["change"]["steps"] * self.assumed["tool_seconds"])

    def stored_gb(self) -> float:
        """Return what a change keeps of the database, in gigabytes, times the months for which it stays."""
        kilobytes = self.counts["change"]["kilobytes"] * self.assumed["indexes"]
        return float(kilobytes * self.assumed["months_kept"] / 1e6)

    def aws(self, driver: str) -> Iterator[Line]:
        """Yield a month's bill of AWS, where messages alone or a machine brings changes to their ends."""
        asked, months = self.counts[driver]["asked"], self.assumed["hours"]
        minutes, machine = months * 60, asked.get("machine", 0)
        queues = len(_polled()) - (driver == "change")  # the machine's own, which nobody needs then
        idle = queues * self.assumed["receives_per_queue_and_minute"] * minutes
        sent = asked["sends"] + machine + 2 * (asked["messages"] + machine)
        works = self._gb_seconds(driver)
        yield Line("http_api", "requests to the API", asked["api"])
        yield Line("lambda_requests", "invocations", sum(self.invocations(driver).values()), 2 * minutes)
        yield Line("lambda_gb_seconds", "functions at work, and waiting for tools", works, self._ticking())
        yield Line("sqs", "sending, receiving and deleting", sent, idle)
        if driver == "carried":
            yield Line("state_transitions", "the machine", self.counts[driver]["state_transitions"])
        yield Line("scheduler", "the minutes of `scheduler` and `pusher`", 0, 2 * minutes)
        yield Line("aurora_acu", "two instances at their least, one unit each", 0, 2 * months)
        yield Line("aurora_storage", f"rows and indexes, kept {self.assumed['months_kept']} months", self.stored_gb())
        yield Line("nat_gateway", "the way out of the network", 0, months)
        yield Line(
            "interface_endpoint",
            "SQS, Step Functions, Secrets Manager and KMS inside the network, two zones each",
            0,
            8,
        )
        yield Line("secrets", "the passwords of two roles, and the sealing key", 0, 3)

    def _gb_seconds(self, driver: str) -> float:
        waiting = memory_gb("execution") * self.waits()
        return waiting + sum((count * self.billed(name) for name, count in self.invocations(driver).items()), 0.0)

    def _ticking(self) -> float:
        """Return the GB-seconds of a month's minutes in which there is nothing to do and nobody to be told."""
        ticks = sum(self._of_lambda(each, self.counts["seconds"][each]) for each in ("scheduler", "pusher"))
        return float(self.assumed["hours"]) * 60 * ticks

    def billed(self, queue: str) -> float:
        """Return the GB-seconds of one invocation for a message of a queue, or of a function that has none."""
        return self._of_lambda(BROUGHT_BY.get(queue, queue), self.seconds(queue))

    def _of_lambda(self, function: str, seconds: float) -> float:
        """Return the GB-seconds of so much work: little memory is given little of a processor, and takes longer."""
        memory = memory_gb(function)
        return memory * seconds * max(1.0, float(self.assumed["full_processor_mb"]) / (memory * 1024))

    def gcp(self) -> Iterator[Line]:
        """Yield a month's bill of Google's cloud."""
        given, database = self.assumed["cloud_run"], self.assumed["cloud_sql"]
        asked, minutes, months = self.counts["change"]["asked"], self.assumed["hours"] * 60, self.assumed["hours"]
        works = self.waits() + sum(count * self.seconds(name) for name, count in self.invocations().items())
        ticks = minutes * self.counts["seconds"]["scheduler"]
        yield Line("run_requests", "requests, messages and minutes", sum(self.invocations().values()), minutes)
        yield Line("run_vcpu", "at work, and waiting for tools", works * given["vcpu"], ticks * given["vcpu"])
        yield Line("run_memory", "at work, and waiting for tools", works * given["gib"], ticks * given["gib"])
        yield Line("pubsub", "publishing and delivering", 2 * asked["messages"] * self.assumed["message_bytes"])
        for price, size, unit in (("sql_vcpu", database["vcpu"], "vCPU"), ("sql_memory", database["gib"], "GB")):
            yield Line(price, f"{size} {unit} in {database['zones']} zones", 0, size * database["zones"] * months)

    def bill(self, cloud: str, lines: list[Line]) -> Iterator[list[object]]:
        """Yield a row for each line of a bill, and one for their sum."""
        prices = self.prices[cloud]["prices"]
        for line in lines:
            yield [code(line.price), line.of, *(shown(usd(prices, line, changes)) for changes in VOLUMES)]
        sums = [sum(usd(prices, line, changes) for line in lines) for changes in VOLUMES]
        yield ["**together**", "", *(f"**{shown(each)}**" for each in sums)]
        yield [
            "**for one change more**",
            "",
            *(shown(sum(usd(prices, x, 1) - usd(prices, x, 0) for x in lines)),) * 3,
        ]


_FILES: Final = ("counts", "assumed", "prices")


def _polled() -> list[str]:
    """Return the functions that Lambda asks queues for, whether there is a message or not."""
    files = sorted((ROOT / "functions").glob("*/function.yml"))
    return [each.parent.name for each in files if any("sqs" in event for event in load(each).get("events", ()))]


def memory_gb(function: str) -> float:
    """Return what a function of ours is given on AWS."""
    return float(load(ROOT / "functions" / function / "function.yml")["memorySize"]) / 1024


def usd(prices: Mapping[str, Any], line: Line, changes: int) -> float:
    """Return a month's dollars for one line."""
    price = prices[line.price]
    return (line.each * changes + line.monthly) * float(price["usd"]) / float(price["per"])


def shown(usd: float) -> str:
    """Return an amount as the page shows it."""
    return f"{usd:,.2f}" if usd >= 1 or usd == 0 else f"{usd:.7f}".rstrip("0")
