"""Sealing keys, and what still needs them."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

Body = Mapping[str, Any]


def renewed_view(body: Body) -> RenderableType:
    """Show where a new key is, and the settings of both steps that make it the newest."""
    return Text(
        f"A new sealing key is in {body['place'].removeprefix('file:')}. Keep a copy of it. Nothing uses it yet.\n\n"
        "1. Where several processes run, let each of them know it first, and start each anew:\n"
        f"{_former(body['former_first'])}\n\n"
        "2. Then make it the newest everywhere, and start each process anew:\n"
        f"CARAPULSE_SEALING_KEY={shlex.quote(body['place'])}\n"
        f"{_former(body['former_then'])}\n\n"
        "3. Then seal by it what the former one has sealed: carapulse keys reseal"
    )


def resealed_view(body: Body) -> RenderableType:
    """Show what was sealed anew, what is left, and which former key may go."""
    lines = [f"{body['resealed']} rows sealed anew by {body['newest']}, {body['left']} left"]
    if body["unreadable"]:
        lines.append(f"{body['unreadable']} rows were left because no listed key opens them; the log names them")
    lines += [_needed(each) for each in body["former"]]
    return Text("\n".join(lines))


def _needed(former: Body) -> str:
    needs = [
        f"{former[name]} {what}"
        for name, what in (
            ("sealed", "rows"),
            ("api_keys", "API keys that were not used since"),
            ("machines", "state machines that still run"),
        )
        if former[name]
    ]
    if needs:
        return f"former key {former['id']}: still needed by {', '.join(needs)}"
    return (
        f"former key {former['id']}: nothing that is kept needs it; it may go once no broker holds messages, nor dead "
        "letters, from before, and cursors are a day old"
    )


def _former(places: list[str]) -> str:
    return f"CARAPULSE_FORMER_SEALING_KEYS={shlex.quote(json.dumps(places))}"
