"""Everything else the API lists."""

import json
from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text
from rich.tree import Tree

from carapulse.surfaces.cli.views.plans import paged
from carapulse.surfaces.cli.views.text import block, columns, facts, listed, moment, plain, status, text

Body = Mapping[str, Any]
_BRIEF = 160


def timeline_view(entries: Any) -> RenderableType:  # noqa: ANN401 - JSON
    """Show what happened to a plan, in order."""
    table = columns("seq", "when", "who", "what", "in words")
    for entry in _rows(entries):
        table.add_row(
            text(entry.get("seq")),
            Text(_clock(entry.get("at"))),
            text(entry.get("actor")),
            text(entry.get("type"), "cyan"),
            text(_told(entry)[:_BRIEF]),
        )
    return table if table.row_count else Text("nothing there", style="dim")


def events_view(page: Body) -> RenderableType:
    """Show a page of the log."""
    table = columns("when", "who", "what", "about", "seq", "hash")
    for event in page.get("data") or ():
        table.add_row(
            Text(moment(event.get("at"))),
            text(event.get("actor")),
            text(event.get("type"), "cyan"),
            text(event.get("stream")),
            text(event.get("seq")),
            text(str(event.get("hash") or "")[:19]),
        )
    return paged(table, page)


def approvals_view(page: Body) -> RenderableType:
    """Show a page of approvals."""
    table = columns("approval", "status", "plan", "agreed", "asked by", "until", "answers")
    for each in page.get("data") or ():
        answers = each.get("answers") or ()
        agreed = sum(answer.get("status") == "approved" for answer in answers)
        table.add_row(
            text(each.get("approval_id") or each.get("id")),
            status(each.get("status")),
            text(each.get("plan_id")),
            text(f"{agreed} of {each.get('required')}"),
            text(each.get("requested_by")),
            Text(moment(each.get("expires_at"))),
            text(listed([f"{answer.get('approver')}: {answer.get('status')}" for answer in answers])),
        )
    return paged(table, page)


def answered_view(approval: Body) -> RenderableType:
    """Show what an answer led to."""
    return approvals_view({"data": [approval]})


def tools_view(tools: Any) -> RenderableType:  # noqa: ANN401 - JSON
    """Show each tool with its actions."""
    tree = Tree(Text("tools"), hide_root=True)
    for tool in _rows(tools):
        branch = tree.add(
            Text.assemble((plain(tool.get("tool")), "bold"), "  ", (plain(tool.get("description")), "dim"))
        )
        for action in tool.get("actions") or ():
            effect = action.get("effect")
            style = "" if effect == "read" else "yellow"
            said = f"{plain(effect)}, risk {plain(action.get('risk'))}, {plain(action.get('reversibility'))}"
            branch.add(Text.assemble((plain(action.get("name")), style or "cyan"), "  ", (said, "dim")))
    return tree


def workflows_view(workflows: Any) -> RenderableType:  # noqa: ANN401 - JSON
    """Show the recipes that there are, and what each wants to know."""
    table = columns("workflow", "version", "wants", "description")
    for each in _rows(workflows):
        schema = each.get("input_schema") or each.get("input") or {}
        needed = set(schema.get("required") or ())
        wants = [f"{name}*" if name in needed else name for name in schema.get("properties") or {}]
        table.add_row(
            text(each.get("name"), "bold"),
            text(each.get("version")),
            text(listed(wants)),
            text(each.get("description")),
        )
    return Group(table, Text("* must be given", style="dim")) if table.row_count else Text("nothing there", style="dim")


def alerts_view(page: Body) -> RenderableType:
    """Show a page of alerts and the plans they led to."""
    table = columns("alert", "status", "service", "source", "plan", "since")
    for alert in page.get("data") or ():
        table.add_row(
            text(alert.get("alertname")),
            status(alert.get("status")),
            text(alert.get("service")),
            text(alert.get("source")),
            text(alert.get("plan_id")),
            Text(moment(alert.get("opened_at"))),
        )
    return paged(table, page)


def dead_letters_view(page: Body) -> RenderableType:
    """Show a page of messages that were given up."""
    table = columns("message", "queue", "type", "tried", "given up", "why")
    for letter in page.get("data") or ():
        table.add_row(
            text(letter.get("id")),
            text(letter.get("queue")),
            text(letter.get("type"), "cyan"),
            text(letter.get("attempts")),
            Text(moment(letter.get("dead_at"))),
            text(str(letter.get("reason") or "")[:_BRIEF]),
        )
    return paged(table, page)


def runbooks_view(page: Body) -> RenderableType:
    """Show a page of runbooks."""
    table = columns("runbook", "service", "name", "version", "tags", "changed", "by")
    for each in page.get("data") or ():
        table.add_row(
            text(each.get("id")),
            text(each.get("service")),
            text(each.get("name"), "bold"),
            text(each.get("version")),
            text(listed(each.get("tags") or ())),
            Text(moment(each.get("updated_at"))),
            text(each.get("updated_by")),
        )
    return paged(table, page)


def runbook_view(runbook: Body) -> RenderableType:
    """Show a runbook, or a version of it: what is known of it, and below that what it says."""
    known = {name: value for name, value in runbook.items() if name != "body"}
    return Group(record_view(known), Text(block(runbook.get("body") or "")))


def sources_view(page: Any) -> RenderableType:  # noqa: ANN401 - JSON
    """Show who may report alerts."""
    table = columns("source", "kind", "trust", "routes", "address")
    for source in _rows(page):
        routes = [route.get("name") for route in source.get("routes") or ()]
        table.add_row(
            text(source.get("name"), "bold"),
            text(source.get("kind")),
            text(source.get("trust")),
            text(listed(routes)),
            text(source.get("path")),
        )
    return table if table.row_count else Text("nothing there", style="dim")


def issued_view(issued: Body) -> RenderableType:
    """Show a source as it is now; with what proves it, which is never shown again."""
    shown = [sources_view([issued.get("source") or {}])]
    proof = issued.get("secret") or issued.get("secret_path")
    if proof:
        shown += [Text(), facts({"keep this now, it is not shown again": text(proof, "bold")})]
    return Group(*shown)


def record_view(body: Body) -> RenderableType:
    """Show any object, a name and a value a line."""
    simple = {name: value for name, value in body.items() if not isinstance(value, Mapping | list)}
    nested = {name: json.dumps(value, ensure_ascii=False) for name, value in body.items() if name not in simple}
    return Panel(facts({**simple, **nested}), expand=False)


def _rows(body: Any) -> list[Body]:  # noqa: ANN401 - JSON
    """Return the rows of a list, whether it comes in pages or at once."""
    rows = body.get("data") if isinstance(body, Mapping) else body
    return [row for row in rows or () if isinstance(row, Mapping)]


def _told(entry: Body) -> str:
    """Return an entry in words, as the API says them, less its type, which has a column of its own."""
    said = str(entry.get("said") or json.dumps(entry.get("body") or {}, ensure_ascii=False))
    return said.partition(": ")[2] or said


def _clock(value: object) -> str:
    said = str(value or "")
    return said[11:23] if len(said) > 23 else plain(value)  # noqa: PLR2004 - hh:mm:ss.mmm of RFC 3339
