"""Renders docs/reference/, the page about cost and the state machine from the code. Run by `make docs`."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, TypeVar

import yaml
from docs.breaking import breaking_changes
from docs.breaking_messages import breaking_messages
from docs.contracts import asyncapi, openapi
from docs.cost import PAGE as COST
from docs.cost import render as cost
from docs.http import http_page, roles_page
from docs.tables import code, head, sentence, table
from pydantic_core import PydanticUndefined

import carapulse
from carapulse.integrations import builtin_manifests
from carapulse.kernel.errors import Problem
from carapulse.kernel.event import Event
from carapulse.live.readers import READERS
from carapulse.metrics import show_metrics
from carapulse.orchestration.definition import render as machine
from carapulse.settings import Settings
from carapulse.surfaces.cli import reference as command_line
from carapulse.tools.catalogue import Catalogue
from carapulse.tools.manifest import Action
from carapulse.workflows.book import Workflows, builtin_recipes

ROOT = Path(__file__).parents[1]
T = TypeVar("T")
OPENAPI = "openapi.json"
ASYNCAPI = "asyncapi.json"
REFERENCE = ROOT / "docs" / "reference"
MACHINE = ROOT / "infra" / "state_machines" / "change.asl.json"


def render() -> dict[str, str]:
    """Return the text of every rendered page, by its file's name."""
    pages: dict[str, Callable[[], Iterable[str]]] = {
        "settings.md": _settings,
        "http.md": http_page,
        "roles.md": roles_page,
        "tools.md": _tools,
        "workflows.md": _workflows,
        "policy.md": _policy,
        "events.md": _events,
        "errors.md": _errors,
        "metrics.md": _metrics,
    }
    _import_all()
    rendered = {name: "\n".join(page()).strip() + "\n" for name, page in pages.items()}
    contracts = {OPENAPI: _json(openapi()), ASYNCAPI: _json(asyncapi(kinds_of_events()))}
    return {**rendered, "command-line.md": command_line.render(), **contracts}


def _json(document: Any) -> str:  # noqa: ANN401 - any JSON value
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _import_all() -> None:
    for module in walk_packages(carapulse.__path__, "carapulse."):
        if not module.name.startswith("carapulse.migrations") and not module.name.endswith("__main__"):
            import_module(module.name)


def _settings() -> list[str]:
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, PydanticUndefined) else field.default
        shown = "[]" if default == frozenset() else default
        rows.append([code(f"CARAPULSE_{name.upper()}"), code(shown) if shown != "" else "none", field.description])
    said = (
        "Settings are environment variables. A name that begins with `CARAPULSE_` and is none of these stops the start."
    )
    return [*head("Settings", said), *table(["Name", "Default", "Meaning"], rows)]


def _tools() -> list[str]:
    catalogue = Catalogue.load(builtin_manifests())
    said = "Every action, from `shared/carapulse/integrations/`. `GET /v1/tools` gives the schemas of their inputs."
    lines = head("Tools", said)
    for tool, manifest in sorted(catalogue.manifests.items()):
        lines += [f"## {tool}", "", " ".join(manifest.description.split()), ""]
        rows = [_action_row(name, action) for name, action in sorted(manifest.actions.items())]
        lines += table(["Action", "Effect", "Risk", "Undo", "After an unknown end", "What it does"], rows)
    return lines


def _action_row(name: str, action: Action) -> list[object]:
    risks = [action.risk.value, *(f"{rule.risk.value}: {rule.reason}" for rule in action.risk_rules)]
    undo = code(action.undo.action) if action.undo else action.reversibility.value.replace("_", " ")
    return [code(name), action.effect.value, "; ".join(risks), undo, _after_unknown(action), action.description]


def _after_unknown(action: Action) -> str:
    if action.probe is not None:
        return f"asked by `{action.probe.action}`"
    return "repeated" if action.idempotent else "waits for a person"


def _workflows() -> list[str]:
    lines = head("Workflows", "The recipes that ship with the program, from `shared/carapulse/workflows/recipes/`.")
    for name, ready in sorted(Workflows.load(builtin_recipes()).made.items()):
        recipe = ready.recipe
        lines += [f"## {name}", "", " ".join(recipe.description.split()), ""]
        steps = [
            [
                step.id,
                step.stage.value,
                code(f"{step.tool}.{step.action}"),
                code(step.when) if step.when else "always",
            ]
            for step in recipe.steps
        ]
        lines += table(["Step", "Stage", "Action", "When"], steps)
        lines += [_inputs(recipe.input), ""]
    return lines


def _inputs(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", [])
    others = [each for each in schema["properties"] if each not in required]
    needed = ", ".join(code(each) for each in required) or "nothing required"
    return f"Input: {needed}" + (f"; optional {', '.join(map(code, others))}" if others else "") + "."


def _policy() -> list[str]:
    rows = []
    for file in sorted((ROOT / "policies" / "guards").glob("*/*.rego")):
        if not file.name.endswith("_test.rego"):
            said = yaml.safe_load("\n".join(line[2:] for line in _metadata(file)))
            rows.append([code(file.parent.name), said["title"], said["description"]])
    said = "The guards in `policies/guards/`. Any denial wins; what nobody grants is denied; most approvals count."
    return [*head("Policy", said), *table(["Guard", "Title", "What it says"], rows)]


def _metadata(file: Path) -> list[str]:
    lines = file.read_text().splitlines()[1:]
    end = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    return lines[:end]


def _heirs(kind: type[T]) -> set[type[T]]:
    """Return a class and all classes that come from it."""
    return {kind}.union(*(_heirs(child) for child in kind.__subclasses__()))


def _ours(kind: type[T]) -> list[type[T]]:
    heirs = [each for each in _heirs(kind) if each.__module__.startswith("carapulse.") and each is not kind]
    return sorted(heirs, key=lambda each: (each.__module__, each.__name__))


def kinds_of_events() -> list[type[Event]]:
    """Return every kind of event that the log may hold."""
    _import_all()
    return [each for each in _ours(Event) if not each.__name__.startswith("_")]


def _events() -> list[str]:
    rows = [
        [
            code(each.__name__),
            each.__module__.split(".")[1],
            code(READERS[each.__name__]),
            sentence(each),
            _body(each),
        ]
        for each in kinds_of_events()
    ]
    said = (
        "Every kind of fact in the log, and the permission that following it needs."
        " A plan's events, its execution's too, are in the stream named as the plan."
    )
    return [*head("Events", said), *table(["Type", "Area", "Permission", "What has happened", "Body"], rows)]


def _body(kind: type[Event]) -> str:
    return ", ".join(map(code, kind.model_fields))


def _errors() -> list[str]:
    rows = sorted(
        [code(each.code), int(each.status), "yes" if each.retryable else "", sentence(each)]
        for each in _ours(Problem)
        if "code" in vars(each)
    )
    said = "The stable `code` of every problem, its HTTP status, and whether the same request may succeed later."
    return [*head("Errors", said), *table(["Code", "Status", "Retry", "Meaning"], rows)]


def _metrics() -> list[str]:
    meanings = [line.split(" ", 3)[2:] for line in show_metrics().decode().splitlines() if line.startswith("# HELP")]
    kinds = dict(line.split()[2:] for line in show_metrics().decode().splitlines() if line.startswith("# TYPE"))
    rows = sorted(
        [code(name), kinds[name], said]
        for name, said in meanings
        if name.startswith("carapulse_") and not name.endswith("_created")
    )
    return [
        *head("Metrics", "What `GET /metrics` shows of the program, beside what every process shows."),
        *table(["Name", "Kind", "Meaning"], rows),
    ]


def main() -> None:
    """Write every page; but a contract that breaks clients only if whoever asks says `--break`."""
    pages = render()
    found = {OPENAPI: breaking_changes, ASYNCAPI: breaking_messages}
    broken = [
        said
        for name, changes in found.items()
        for said in changes(json.loads((REFERENCE / name).read_text()), json.loads(pages[name]))
    ]
    if broken and sys.argv[1:] != ["--break"]:
        sys.exit("\n".join(["this breaks clients of the API; if it must be, say --break:", *broken]))
    COST.write_text(cost())
    MACHINE.write_text(machine())
    for name, text in pages.items():
        (REFERENCE / name).write_text(text)
        sys.stdout.write(f"docs/reference/{name}\n")


if __name__ == "__main__":
    main()
