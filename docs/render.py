"""Renders docs/reference/ from the code, so that it can't say anything else than the code does. Run by `make docs`."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, TypeVar

import yaml
from docs.breaking import breaking_changes
from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute, iter_route_contexts
from pydantic_core import PydanticUndefined

import carapulse
from carapulse.identity.model import Role
from carapulse.identity.permissions import GRANTS, KEEPS_TO_SCOPE, PERMISSIONS
from carapulse.identity.refusals import RefusalLog
from carapulse.identity.tokens import TokenVerifier
from carapulse.integrations import builtin_manifests
from carapulse.kernel.clock import SystemClock
from carapulse.kernel.errors import Problem, Unavailable
from carapulse.kernel.event import Event
from carapulse.live.readers import READERS
from carapulse.metrics import show_metrics
from carapulse.rates.model import Claim, Grant, RateClass
from carapulse.rates.spending import Rates
from carapulse.routing import AUTHENTICATED, Needs
from carapulse.runtime.areas import ROUTERS
from carapulse.runtime.http.app import make_app
from carapulse.runtime.http.contract import keys_of
from carapulse.runtime.http.rating import class_of
from carapulse.settings import Settings
from carapulse.surfaces.cli import reference as command_line
from carapulse.tools.catalogue import Catalogue
from carapulse.tools.manifest import Action
from carapulse.workflows.book import Workflows, builtin_recipes

ROOT = Path(__file__).parents[1]
T = TypeVar("T")
OPENAPI = "openapi.json"
REFERENCE = ROOT / "docs" / "reference"
_NOTE = "*Rendered from the code by `make docs`; a test holds it equal.*"


class _NoLender:
    """Counts for nobody."""

    def take(self, claims: Sequence[Claim]) -> Sequence[Grant]:
        """Say that nobody can be asked."""
        raise Unavailable("nothing is served here", claims=len(claims))


class _NoApplication:
    """What HTTP itself asks of the composition root; nothing is served here."""

    clock = SystemClock()
    tokens = TokenVerifier([], SystemClock())
    refusals = RefusalLog(lambda _call: nullcontext(), SystemClock())
    rates = Rates(_NoLender(), {})
    settings = Settings()

    def ready(self) -> Mapping[str, bool]:
        """Return nothing that is needed."""
        return {}


def render() -> dict[str, str]:
    """Return the text of every rendered page, by its file's name."""
    pages: dict[str, Callable[[], Iterable[str]]] = {
        "settings.md": _settings,
        "http.md": _http,
        "roles.md": _roles,
        "tools.md": _tools,
        "workflows.md": _workflows,
        "policy.md": _policy,
        "events.md": _events,
        "errors.md": _errors,
        "metrics.md": _metrics,
    }
    _import_all()
    rendered = {name: "\n".join(page()).strip() + "\n" for name, page in pages.items()}
    return {**rendered, "command-line.md": command_line.render(), OPENAPI: _json(make_http().openapi())}


def _json(document: Any) -> str:  # noqa: ANN401 - any JSON value
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _import_all() -> None:
    for module in walk_packages(carapulse.__path__, "carapulse."):
        if not module.name.startswith("carapulse.migrations") and not module.name.endswith("__main__"):
            import_module(module.name)


def _head(title: str, sentence: str) -> list[str]:
    return [f"# {title}", "", f"{sentence} {_NOTE}", ""]


def _table(names: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    header = list(names)
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    return [*lines, *(f"| {' | '.join(_cell(each) for each in row)} |" for row in rows), ""]


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def _code(value: object) -> str:
    return f"`{value}`"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(_code(name) for name in sorted(names))


def _sentence(thing: Any) -> str:  # noqa: ANN401 - a class or a function
    return " ".join((thing.__doc__ or "").partition("\n\n")[0].split())


def _settings() -> list[str]:
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, PydanticUndefined) else field.default
        shown = "[]" if default == frozenset() else default
        rows.append([_code(f"CARAPULSE_{name.upper()}"), _code(shown) if shown != "" else "none", field.description])
    said = (
        "Settings are environment variables. A name that begins with `CARAPULSE_` and is none of these stops the start."
    )
    return [*_head("Settings", said), *_table(["Name", "Default", "Meaning"], rows)]


def make_http() -> FastAPI:
    """Return the whole HTTP application, with nothing behind it."""
    return make_app(_NoApplication(), ROUTERS)


def _http() -> list[str]:
    http = make_http()
    keys = {path: "required" if must else "optional" for path, must in keys_of(http).items()}
    rows = [row for route in iter_route_contexts(http.routes) for row in _route_rows(route, keys)]
    said = (
        "Every route, and the permission that it needs; one without is open or proves its sender by itself. Under a"
        " [key](../how-to/send-a-request-again.md) a request may be sent again."
        " `GET /openapi.json` describes bodies and answers. Errors are `application/problem+json` with a `code` of"
        " [errors.md](errors.md). How many requests of each class an actor and a tenant have in a minute is in"
        " [settings.md](settings.md) (`CARAPULSE_RATE_…`)."
    )
    return [*_head("HTTP", said), *_table(["Route", "Permission", "Roles", "Counted as", "Key", "What it does"], rows)]


def _counted(method: str, path: str) -> str:
    if not path.startswith("/v1/"):
        return ""
    return RateClass.STREAM.value if method == "WebSocket" else class_of(method, path).value


def _route_rows(route: Any, keys: Mapping[str, str]) -> list[list[str]]:  # noqa: ANN401 - the framework's own type
    if not isinstance(route.original_route, (APIRoute, APIWebSocketRoute)):
        return []
    needed = [each.dependency.permission for each in route.dependencies if isinstance(each.dependency, Needs)]
    permission, said = _code(*needed) if needed else "", _sentence(route.original_route.endpoint)
    roles = ", ".join(role for role in Role if needed and needed[0] in GRANTS[role]) if needed else ""
    return [
        [
            _code(f"{method} {route.path}"),
            permission,
            "all" if needed == [AUTHENTICATED] or roles.count(",") == len(Role) - 1 else roles,
            _counted(method, route.path),
            keys.get(route.path, "") if method == "POST" else "",
            said,
        ]
        for method in sorted(route.methods or ("WebSocket",))
    ]


def _roles() -> list[str]:
    rows = [
        [_code(permission), *("yes" if permission in GRANTS[role] else "" for role in Role)]
        for permission in sorted(PERMISSIONS)
    ]
    said = (
        "Which role may do what. Only a person may decide an approval, make a key or say what became of a lost step,"
        " whatever a service's or an agent's roles are. A caller with a scope is refused"
        f" {_listed(PERMISSIONS - KEEPS_TO_SCOPE)}: these are about the whole tenant."
    )
    return [*_head("Roles", said), *_table(["Permission", *(role.value for role in Role)], rows)]


def _tools() -> list[str]:
    catalogue = Catalogue.load(builtin_manifests())
    said = "Every action, from `shared/carapulse/integrations/`. `GET /v1/tools` gives the schemas of their inputs."
    lines = _head("Tools", said)
    for tool, manifest in sorted(catalogue.manifests.items()):
        lines += [f"## {tool}", "", " ".join(manifest.description.split()), ""]
        rows = [_action_row(name, action) for name, action in sorted(manifest.actions.items())]
        lines += _table(["Action", "Effect", "Risk", "Undo", "After an unknown end", "What it does"], rows)
    return lines


def _action_row(name: str, action: Action) -> list[object]:
    risks = [action.risk.value, *(f"{rule.risk.value}: {rule.reason}" for rule in action.risk_rules)]
    undo = _code(action.undo.action) if action.undo else action.reversibility.value.replace("_", " ")
    return [_code(name), action.effect.value, "; ".join(risks), undo, _after_unknown(action), action.description]


def _after_unknown(action: Action) -> str:
    if action.probe is not None:
        return f"asked by `{action.probe.action}`"
    return "repeated" if action.idempotent else "waits for a person"


def _workflows() -> list[str]:
    lines = _head("Workflows", "The recipes that ship with the program, from `shared/carapulse/workflows/recipes/`.")
    for name, recipe in sorted(Workflows.load(builtin_recipes()).recipes.items()):
        lines += [f"## {name}", "", " ".join(recipe.description.split()), ""]
        steps = [
            [
                step.id,
                step.stage.value,
                _code(f"{step.tool}.{step.action}"),
                _code(step.when) if step.when else "always",
            ]
            for step in recipe.steps
        ]
        lines += _table(["Step", "Stage", "Action", "When"], steps)
        lines += [_inputs(recipe.input), ""]
    return lines


def _inputs(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", [])
    others = [each for each in schema["properties"] if each not in required]
    needed = ", ".join(_code(each) for each in required) or "nothing required"
    return f"Input: {needed}" + (f"; optional {', '.join(map(_code, others))}" if others else "") + "."


def _policy() -> list[str]:
    rows = []
    for file in sorted((ROOT / "policies" / "guards").glob("*/*.rego")):
        if not file.name.endswith("_test.rego"):
            said = yaml.safe_load("\n".join(line[2:] for line in _metadata(file)))
            rows.append([_code(file.parent.name), said["title"], said["description"]])
    said = "The guards in `policies/guards/`. Any denial wins; what nobody grants is denied; most approvals count."
    return [*_head("Policy", said), *_table(["Guard", "Title", "What it says"], rows)]


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


def _events() -> list[str]:
    rows = [
        [
            _code(each.__name__),
            each.__module__.split(".")[1],
            _code(READERS[each.__name__]),
            _sentence(each),
            _body(each),
        ]
        for each in _ours(Event)
        if not each.__name__.startswith("_")
    ]
    said = (
        "Every kind of fact in the log, and the permission that following it needs."
        " A plan's events, its execution's too, are in the stream named as the plan."
    )
    return [*_head("Events", said), *_table(["Type", "Area", "Permission", "What has happened", "Body"], rows)]


def _body(kind: type[Event]) -> str:
    return ", ".join(map(_code, kind.model_fields))


def _errors() -> list[str]:
    rows = sorted(
        [_code(each.code), int(each.status), "yes" if each.retryable else "", _sentence(each)]
        for each in _ours(Problem)
        if "code" in vars(each)
    )
    said = "The stable `code` of every problem, its HTTP status, and whether the same request may succeed later."
    return [*_head("Errors", said), *_table(["Code", "Status", "Retry", "Meaning"], rows)]


def _metrics() -> list[str]:
    meanings = [line.split(" ", 3)[2:] for line in show_metrics().decode().splitlines() if line.startswith("# HELP")]
    kinds = dict(line.split()[2:] for line in show_metrics().decode().splitlines() if line.startswith("# TYPE"))
    rows = sorted(
        [_code(name), kinds[name], said]
        for name, said in meanings
        if name.startswith("carapulse_") and not name.endswith("_created")
    )
    return [
        *_head("Metrics", "What `GET /metrics` shows of the program, beside what every process shows."),
        *_table(["Name", "Kind", "Meaning"], rows),
    ]


def main() -> None:
    """Write every page; but a contract that breaks clients only if whoever asks says `--break`."""
    pages = render()
    broken = breaking_changes(json.loads((REFERENCE / OPENAPI).read_text()), json.loads(pages[OPENAPI]))
    if broken and sys.argv[1:] != ["--break"]:
        sys.exit("\n".join(["this breaks clients of the API; if it must be, say --break:", *broken]))
    for name, text in pages.items():
        (REFERENCE / name).write_text(text)
        sys.stdout.write(f"docs/reference/{name}\n")


if __name__ == "__main__":
    main()
