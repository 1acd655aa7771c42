"""The rules mean the same to the embedded engine as to OPA itself.

OPA's library says it needs a newer Python than this project (it does not), so the lock file can't hold it. The comparison
is made where somebody put the library into the folder `.opa`:

    .venv/bin/pip install --target .opa --no-deps --ignore-requires-python opa-golib-python-bindings==0.4.4
"""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from tests.builders.policy import (
    ACT,
    APPROVE,
    CANCEL,
    CREATE,
    EXECUTE,
    HOUR,
    POLICIES,
    READ,
    SUNDAY_AT_TEN,
    UNDO,
    a_question,
)

from carapulse.adapters.rego.interpreter import CompiledRules
from carapulse.adapters.rego.sources import read_sources
from carapulse.adapters.rego.testing import list_tests

LIBRARY = POLICIES.parent / ".opa"
pytestmark = pytest.mark.skipif(not LIBRARY.is_dir(), reason="there is no OPA in .opa to compare with")

ASK_LIBRARY = """
import json, sys
from opa_bindings import OpaEngine
asked = json.load(sys.stdin)
opa = OpaEngine()
for name, text in asked["modules"].items():
    opa.add_policy(name, text)
opa.add_data(asked["data"])
json.dump([opa.eval_query("answer := " + query, document) for query, document in asked["questions"]], sys.stdout)
"""

NOW_UNIX = SUNDAY_AT_TEN // 1_000_000_000
TUNED = {
    "freezes": [
        {
            "environment": "staging",
            "from_unix": NOW_UNIX,
            "until_unix": NOW_UNIX + 1,
            "reason": "",
            "allow_drafts": True,
        },
        {"environment": "prod", "from_unix": NOW_UNIX - 9, "until_unix": NOW_UNIX, "reason": "", "allow_drafts": False},
    ],
    "windows": [
        {"environment": "local", "weekdays": [0, 6], "start_minute": 0, "end_minute": 600},
        {"environment": "prod", "weekdays": [5, 6], "start_minute": 600, "end_minute": 601},
    ],
}
ACTIONS = [
    READ,
    CREATE,
    EXECUTE,
    ACT,
    UNDO,
    APPROVE,
    CANCEL,
    {"name": "schedule.create", "type": "write", "stage": None},
]
STEPS = [
    {"tool": "t", "action": "a", "effect": effect, "risk": risk, "stage": "act"}
    for effect, risk in [("read", "read"), ("write", "low"), ("write", "read"), ("destructive", "high")]
]
CHANGES: list[tuple[str, list[Any]]] = [
    ("call.actor.id", ["", " ", "bob", 'a"b', "a\nb"]),
    ("call.actor.kind", ["service", "agent"]),
    (
        "call.actor.roles",
        [[], ["viewer"], ["approver"], ["sre"], ["viewer", "admin"], ["service"], ["agent"], ["root"]],
    ),
    ("call.tenant", ["other", ""]),
    ("action", ACTIONS),
    ("action", ACTIONS),
    ("action.type", ["read", "write"]),
    ("action.stage", ["undo", "diagnose", None]),
    ("context.environment", ["local", "staging", "prod", "nope", "", None, "PROD"]),
    ("context.environment", ["prod"]),
    ("plan", [None]),
    ("plan.risk", ["read", "low", "medium", "high"]),
    ("plan.targets", [0, 10, 11, 50, 51, 60, 501]),
    ("plan.unbounded", [True]),
    ("plan.blast_radius", ["cluster", "account"]),
    ("plan.trusted", [False]),
    ("plan.irreversible", [True]),
    ("plan.requested_by", ["bob"]),
    ("plan.steps", [[step] for step in STEPS] + [STEPS[:2]]),
    ("constraints.allowed_environments", [[], ["dev"], ["prod", "staging"]]),
    ("constraints.max_targets", [-1, 0, 1, 60, 500, 501]),
    (
        "constraints.maintenance_window",
        [
            {"start_minute": start, "end_minute": end, "now_minute": now}
            for start, end, now in [(0, 60, 59), (0, 60, 60), (60, 60, 60), (1380, 60, 0), (1380, 60, 60), (-1, 5, 0)]
        ],
    ),
    (
        "break_glass",
        [
            {"reason": reason, "by": by, "until_ns": until}
            for reason in ("short", "a good long reason")
            for by in ("ada", "bob")
            for until in (SUNDAY_AT_TEN, SUNDAY_AT_TEN + HOUR, SUNDAY_AT_TEN + 9 * HOUR)
        ],
    ),
    ("self_approval_environments", [["dev"], ["prod"]]),
    ("standing.closed_window", [True]),
    (
        "standing.freezes",
        [
            [{"name": "sale", "reason": "many shop", "until_ns": None, "allow_drafts": each} for each in drafts]
            for drafts in ([True], [False], [True, False])
        ],
    ),
    ("now_ns", [SUNDAY_AT_TEN - 1, SUNDAY_AT_TEN + 60_000_000_000, 0]),
]


def test_every_policy_test_holds_in_opa():
    sources = read_sources(POLICIES)
    names = list_tests(sources)

    answers = ask_opa(
        sources.modules | sources.tests, sources.data, [("data." + name.replace("/", "."), {}) for name in names]
    )

    assert [name for name, answer in zip(names, answers, strict=True) if answer is not True] == []


def test_both_engines_decide_alike():
    sources = read_sources(POLICIES)
    data = sources.data | TUNED
    documents = some_documents(600)
    rules = CompiledRules(sources.modules, data, ["carapulse/decision"])

    theirs = ask_opa(sources.modules, data, [("data.carapulse.decision", document) for document in documents])
    ours = [rules.ask("carapulse/decision", document) for document in documents]

    different = [item for item in zip(documents, ours, theirs, strict=True) if ordered(item[1]) != ordered(item[2])]
    assert different == []
    assert min(Counter(answer["outcome"] for answer in theirs).values()) > 20


def some_documents(number: int) -> list[dict[str, Any]]:
    """Return questions that differ from an everyday one in up to four respects, the same ones every time."""
    choose = random.Random(7)
    return [changed(choose.sample(CHANGES, choose.randint(0, 4)), choose) for _ in range(number)]


def changed(changes: list[tuple[str, list[Any]]], choose: random.Random) -> dict[str, Any]:
    document = a_question().document()
    for path, values in changes:
        *way, last = path.split(".")
        place: Any = document
        for part in way:
            place = place[part]
            if place is None:
                break
        else:
            place[last] = json.loads(json.dumps(choose.choice(values)))
    return document


def ordered(answer: Any) -> Any:
    return {**answer, "reasons": sorted((reason["guard"], reason["reason"]) for reason in answer["reasons"])}


def ask_opa(modules: dict[str, str], data: dict[str, Any], questions: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    """Return OPA's answer to each query about a document, None where it is undefined."""
    asked = {"modules": modules, "data": data, "questions": questions}
    done = subprocess.run(
        [sys.executable, "-c", ASK_LIBRARY],
        input=json.dumps(asked),
        env={**os.environ, "PYTHONPATH": str(LIBRARY)},
        capture_output=True,
        check=True,
        text=True,
    )
    return [answer[0]["answer"] if answer else None for answer in json.loads(done.stdout)]
