"""How long it takes from a signed webhook to the plan that it asks for, and how many a process takes in."""

import json
import time
from itertools import count

import pytest
from tests.bench.figures import ROUNDS, middle
from tests.bench.measuring import Bench, timed
from tests.builders.clients import a_client
from tests.builders.intake import a_payload, signed
from tests.builders.serving import served
from tests.world.rig import a_call

from carapulse.intake.model import Registration
from carapulse.intake.usecases import register_source
from carapulse.plans.ports import PlanFilter
from carapulse.plans.usecases import list_plans
from carapulse.runtime.areas import ROUTERS

pytestmark = pytest.mark.timeout(300)
_EACH = 20
_numbers = count(1)


def a_source(bench: Bench):
    remedy = {"tool": "lamp", "action": "switch", "input": {"lamp": {"$from": "service"}, "lit": True}}
    expect = [{"path": "lit", "op": "eq", "value": True}]
    check = {"tool": "lamp", "action": "look", "input": {"lamp": {"$from": "service"}}, "expect": expect}
    route = {
        "name": "errors",
        "match": {"alertname": "HighErrorRate"},
        "workflow": "incident_remediation",
        "input": {"service": {"$from": "service"}, "remediation": remedy, "check": check},
    }
    given = {"trust": "signed", "context": {"environment": "dev"}, "routes": [route]}
    return register_source(
        f"bench-{next(_numbers)}", Registration.model_validate(given), a_call("root", "admin"), bench.app
    )


def an_alert() -> bytes:
    payload = a_payload("firing_one_service")
    name = f"service-{next(_numbers)}"
    payload["groupLabels"]["service"] = payload["commonLabels"]["service"] = name
    for alert in payload["alerts"]:
        alert["labels"]["service"] = name
    return json.dumps(payload).encode()


def plans_there_are(bench: Bench) -> int:
    return len(list_plans(PlanFilter(limit=200, trigger="alert"), a_call(), bench.app).data)


def test_from_a_webhook_to_its_plan(bench):
    source = a_source(bench)
    answers, plans, intakes, floors = [], [], [], []
    address = served(bench.app, ROUTERS)
    with (
        bench.working(2),
        address as port,
        a_client(f"http://127.0.0.1:{port}") as client,
    ):

        def deliver():
            body = an_alert()
            headers = signed(body, webhook_id=f"msg_{next(_numbers)}", secret=source.secret)
            headers["content-type"] = "application/json"
            answer = client.post(f"/v1/webhooks/alertmanager/{source.source.id}", content=body, headers=headers)
            assert answer.status_code == 202, answer.text

        for _ in range(ROUNDS):
            before = plans_there_are(bench)
            began = time.perf_counter()
            deliver()
            answers.append(time.perf_counter() - began)
            while plans_there_are(bench) == before:
                time.sleep(0.002)
            plans.append(time.perf_counter() - began)
            floors.append(bench.commits_per_second(1, 2))
            intakes.append(_EACH / timed(lambda: [deliver() for _ in range(_EACH)]))
            bench_idle(bench)

    print(f"\nwebhook answered                       {middle(answers) * 1000:10.0f} ms")
    print(f"webhook to judged plan                 {middle(plans) * 1000:10.0f} ms")
    print(
        f"webhooks taken in, one client          {middle(intakes):10.0f} /s = {middle(intakes) / middle(floors):.3f} of pgbench"
    )
    print(f"pgbench simple-update, 1 client        {middle(floors):10.0f} commits/s")


def bench_idle(bench: Bench) -> None:
    """Wait until everything that was reported has become a plan."""
    before = -1
    while (now := plans_there_are(bench)) != before:
        before = now
        time.sleep(0.3)
