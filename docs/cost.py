"""Renders docs/explanation/cost.md from docs/costs: what was counted, what is assumed, and a dated table of prices."""

from collections.abc import Mapping
from typing import Any, Final

from docs.costs_kept import BROUGHT_BY, ROOT, VOLUMES, Costs, Line
from docs.on_top import counts_on_top, prices_on_top
from docs.tables import code, table

PAGE: Final = ROOT / "docs" / "explanation" / "cost.md"


def render() -> str:
    """Return the page."""
    costs = Costs.kept()
    text = (ROOT / "docs" / "costs" / "page.txt").read_text()
    parts = {
        "COUNTS": _counts(costs),
        "ON TOP COUNTED": counts_on_top(costs),
        "ON TOP": prices_on_top(costs),
        "ASSUMED": _assumed(costs),
        "CARRIED": _bill(costs, "aws", list(costs.aws("carried"))),
        "AWS": _bill(costs, "aws", list(costs.aws("change"))),
        "GCP": _bill(costs, "gcp", list(costs.gcp())),
        "PRICES": _prices(costs),
        "RATE": [_rate(costs)],
    }
    for name, lines in parts.items():
        text = text.replace(f"<!-- {name} -->", "\n".join(lines).strip())
    return text


def _rate(costs: Costs) -> str:
    """Return what a million changes a month ask of the database in a second on average."""
    asked = (
        f"{costs.counts['change']['database'][each] * 1e6 / (costs.assumed['hours'] * 3600):.0f} {each}"
        for each in ("statements", "transactions")
    )
    return " and ".join(asked)


def _counts(costs: Costs) -> list[str]:
    change, carried, minute = costs.counts["change"], costs.counts["carried"], costs.counts["minute"]
    asked, under = change["asked"], carried["asked"]
    rows: list[list[object]] = [
        ["requests to the API", asked["api"], under["api"], 0],
        ["messages published", asked["messages"], under["messages"], 0],
        ["requests to the broker that publish", asked["sends"], under["sends"], 0],
        ["messages that the machine sends", 0, under["machine"], 0],
        *(
            [f"invocations of {code(BROUGHT_BY[each])}", asked.get(each, 0), under[each], 0]
            for each in ("executions", "approvals", "orchestration")
        ),
        [f"invocations of {code('scheduler')}", 0, 0, 1],
        ["state transitions", 0, carried["state_transitions"], 0],
        ["statements", change["database"]["statements"], "", minute["database"]["statements"]],
        ["transactions", change["database"]["transactions"], "", minute["database"]["transactions"]],
        ["kilobytes of rows that stay", change["kilobytes"], "", 0],
    ]
    return table(
        ["Count", "A change, by messages alone", "The same, carried by a machine", "A minute without any"], rows
    )


def _assumed(costs: Costs) -> list[str]:
    rows = [[code(name), _told(value)] for name, value in costs.assumed.items()]
    return table(["Assumed", "Value"], rows)


def _told(value: Any) -> str:  # noqa: ANN401 - any value of YAML
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return f"{value:,}"


def _bill(costs: Costs, cloud: str, lines: list[Line]) -> list[str]:
    names = ["Price", "For", *(f"{changes:,} changes" for changes in VOLUMES)]
    return table(names, costs.bill(cloud, lines))


def _prices(costs: Costs) -> list[str]:
    rows = [
        [cloud, code(name), *_price(each), each["kind"], each["dated"] or "", f"[page]({each['source']})"]
        for cloud in ("aws", "gcp")
        for name, each in costs.prices[cloud]["prices"].items()
    ]
    return table(["Cloud", "Price", "US dollars", "For", "Kind", "Dated", "Source"], rows)


def _price(each: Mapping[str, Any]) -> tuple[str, str]:
    amount = "not confirmed" if each["usd"] is None else f"{each['usd']:.8f}".rstrip("0").rstrip(".")
    return amount, f"{each['per']:,} {each['unit']}"
