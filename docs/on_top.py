"""What may come on top of changes, for the page about cost: what was counted of it, and what a lot of it costs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from docs.costs_kept import Costs, Line, memory_gb, shown, usd
from docs.tables import code, table

MANY: Final = 1_000
_MESSAGES: Final = {
    "told": ("a message to a channel", "receiver_seconds"),
    "looked": ("a minute in which something happened, of a tenant that has a channel", None),
    "collected": ("a run of a collector", "collector_seconds"),
    "fired": ("a plan by a schedule", None),
}
_DATABASE: Final = {
    "nobody": "a minute in which no client follows",
    "came": "a client that comes and leaves, beside its ticket",
    "silent": "a second in which any number of clients follow",
    "told": "an event to one client, beside the second",
    "told_each_more": "the same event to each client more",
}


@dataclass(frozen=True)
class Extra:
    """Something that may come on top, and its lines on the bills of the clouds; None where that was not counted."""

    what: str
    aws: list[Line]
    gcp: list[Line] | None = field(default=None)

    def row(self, costs: Costs) -> list[object]:
        """Return what is asked for it, and what that costs."""
        asked = {line.price: line.each for line in self.aws}
        amounts = [f"{asked[name]:,.0f}" if name in asked else "" for name in _SHOWN]
        google = "not counted" if self.gcp is None else shown(_sum(costs, "gcp", self.gcp))
        return [self.what, *amounts, shown(_sum(costs, "aws", self.aws)), google]


_SHOWN: Final = {
    "lambda_requests": "Invocations",
    "lambda_gb_seconds": "GB-seconds",
    "sqs": "Requests to SQS",
    "websocket_messages": "Messages to clients",
    "websocket_minutes": "Minutes of connections",
}


def counts_on_top(costs: Costs) -> list[str]:
    """Return what was counted of each."""
    rows: list[list[object]] = [_counted(costs.counts[name], what) for name, (what, _) in _MESSAGES.items()]
    for name, what in _DATABASE.items():
        asked = costs.counts["followed"]["database"][name]
        rows.append([what, _invoked_for(costs, name), "", "", asked["statements"], asked["transactions"]])
    names = ["What", "Invocations", "Messages published", "Requests that publish", "Statements", "Transactions"]
    return table(names, rows)


def _counted(counted: dict[str, Any], what: str) -> list[object]:
    asked, database = dict(counted["asked"]), counted["database"]
    messages, sends = asked.pop("messages"), asked.pop("sends")
    return [what, _named(asked), messages, sends, database["statements"], database["transactions"]]


def _invoked_for(costs: Costs, name: str) -> str:
    """Return who is invoked for a client that comes and leaves, or for a minute's look whether there is one."""
    asked = {"came": {"live": costs.counts["followed"]["asked"]["live"]}, "nobody": {"pusher": 1}}
    return _named(asked.get(name, {}))


def _named(invoked: dict[str, int]) -> str:
    return ", ".join(f"{times} of {code(function)}" for function, times in invoked.items())


def prices_on_top(costs: Costs) -> list[str]:
    """Return what a lot of each costs on each cloud."""
    rows = [each.row(costs) for each in extras(costs)]
    return table(["What", *_SHOWN.values(), "US dollars on AWS", "US dollars on Google's cloud"], rows)


def extras(costs: Costs) -> Iterator[Extra]:
    """Yield everything that may come on top."""
    for name, (what, waited) in _MESSAGES.items():
        waits = 0.0 if waited is None else float(costs.assumed[waited])
        yield Extra(f"{MANY:,} times {what}", [*_on_aws(costs, name, waits)], [*_on_gcp(costs, name, waits)])
    client, anybody = costs.assumed["client"], costs.assumed["followed_hours"]
    yield Extra(
        f"one client for a month, {client['hours']} hours of it, with {client['events']:,} events", [*_client(costs)]
    )
    yield Extra(f"whoever tells clients, in a month with {anybody} hours in which somebody follows", [*_pusher(costs)])


def _on_aws(costs: Costs, name: str, waits: float) -> Iterator[Line]:
    asked, what = costs.counts[name]["asked"], _MESSAGES[name][0]
    functions = _invocations(costs, name)
    works = sum(times * (costs.billed(each) + memory_gb(each) * waits) for each, times in functions.items())
    yield Line("lambda_requests", what, MANY * sum(functions.values()))
    yield Line("lambda_gb_seconds", what, MANY * works)
    yield Line("sqs", what, MANY * (asked["sends"] + 2 * asked["messages"]))


def _on_gcp(costs: Costs, name: str, waits: float) -> Iterator[Line]:
    given, what = costs.assumed["cloud_run"], _MESSAGES[name][0]
    functions = _invocations(costs, name)
    works = sum(times * (costs.seconds(each) + waits) for each, times in functions.items())
    published = 2 * costs.counts[name]["asked"]["messages"] * costs.assumed["message_bytes"]
    yield Line("run_requests", what, MANY * sum(functions.values()))
    yield Line("run_vcpu", what, MANY * works * given["vcpu"])
    yield Line("run_memory", what, MANY * works * given["gib"])
    yield Line("pubsub", what, MANY * published)


def _invocations(costs: Costs, name: str) -> dict[str, float]:
    asked = costs.counts[name]["asked"]
    return {function: times for function, times in asked.items() if function not in {"messages", "sends"}}


def _client(costs: Costs) -> Iterator[Line]:
    """Yield a month of one client that is told all, and is silent to it for most of the time."""
    client, followed = costs.assumed["client"], costs.counts["followed"]
    stays, minutes = client["hours"] / followed["longest_stay_hours"], client["hours"] * 60
    asked, said = followed["asked"], followed["messages"]
    units = minutes * said["minute_of_silence"] + client["events"] * said["event"] * client["units"]
    yield Line("websocket_minutes", "it is connected", minutes)
    yield Line("websocket_messages", "events, and signs of life as if there were none", units)
    yield Line("http_api", "tickets", stays * asked["api"])
    yield Line("lambda_requests", "each time that it comes", stays * sum(asked.values()))
    yield Line(
        "lambda_gb_seconds", "the same", stays * sum(times * costs.billed(each) for each, times in asked.items())
    )


def _pusher(costs: Costs) -> Iterator[Line]:
    """Yield its work while somebody follows; that it is invoked each minute stands by whether anybody does."""
    seconds = costs.assumed["followed_hours"] * 60 * costs.counts["followed"]["pusher_seconds_a_minute"]
    yield Line("lambda_gb_seconds", "at work", memory_gb("pusher") * seconds)


def _sum(costs: Costs, cloud: str, lines: list[Line]) -> float:
    return sum(usd(costs.prices[cloud]["prices"], line, 1) for line in lines)
