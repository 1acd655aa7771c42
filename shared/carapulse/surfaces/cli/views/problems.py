"""What went wrong, for a person."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from carapulse.kernel.errors import Fault
from carapulse.surfaces.cli.views.text import columns, facts, plain, text

_SHOWN: Final = {"type", "title", "status", "detail", "code", "trace_id", "errors", "reasons"}


def problem_view(body: Mapping[str, Any]) -> RenderableType:
    """Show a problem of the API (RFC 9457): what, where in the request, and how to ask about it."""
    parts: list[RenderableType] = [text(body.get("detail") or body.get("title"))]
    parts += _reasons(body.get("reasons"))
    rest = {name: value for name, value in body.items() if name not in _SHOWN}
    parts += _faults(_rows(body.get("errors")))
    if known := rest | ({"trace": body["trace_id"]} if body.get("trace_id") else {}):
        parts += [Text(), facts(known)]
    title = f"{plain(body.get('status'))} {plain(body.get('code') or body.get('title'))}"
    return Panel(Group(*parts), title=Text(title), title_align="left", border_style="red")


def complaint_view(
    detail: str, known: Mapping[str, object] | None = None, faults: Sequence[Fault] = ()
) -> RenderableType:
    """Show what went wrong on this side."""
    parts: list[RenderableType] = [Text.assemble(("error: ", "bold red"), plain(detail))]
    parts += _faults([(fault.pointer, fault.code, fault.detail) for fault in faults])
    if known:
        parts.append(facts(dict(known)))
    return Group(*parts)


def _rows(errors: object) -> list[tuple[object, object, object]]:
    found = errors if isinstance(errors, list) else []
    return [(each.get("pointer"), each.get("code"), each.get("detail")) for each in found if isinstance(each, dict)]


def _faults(rows: Sequence[tuple[object, object, object]]) -> list[RenderableType]:
    if not rows:
        return []
    table = columns("where", "what", "in words")
    for pointer, code, detail in rows:
        table.add_row(text(pointer or "/", "cyan"), text(code), text(detail))
    return [Text(), table]


def _reasons(reasons: object) -> list[RenderableType]:
    found = reasons if isinstance(reasons, list) else []
    return [Text.assemble("• ", plain(each.get("reason") if isinstance(each, dict) else each)) for each in found]
