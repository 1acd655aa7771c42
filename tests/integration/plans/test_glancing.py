"""A plan that is looked at in passing is the one that a unit of work reads, of whatever kind it is."""

import pytest
from tests.builders.plans import GLANCE, LOOK, NOTE, SWITCH, a_call, a_request

from carapulse.adapters.postgres.engine import look
from carapulse.kernel.call import Scope
from carapulse.plans.ending import archive_plan
from carapulse.plans.errors import PlanNotFound
from carapulse.plans.requests import ClosePlan, Origin
from carapulse.plans.usecases import close_plan, create_plan, revise_plan

DARK = {**SWITCH, "input": {"lamp": "hall", "on": False}}
EACH = {**SWITCH, "id": "light", "input": {"lamp": {"$each": "@"}, "on": True}, "for_each": {"values": ["a", "b"]}}
EAST = {"environment": "prod", "cluster_id": "east"}


def of(*steps, **facts):
    return lambda app: create_plan(a_request(*steps, **facts), a_call(), app).plan_id


def of_alert(app):
    origin = Origin(trusted=False, meta={"alert": {"Größe": 1.5, "n": 30.0, "at": None}}, authors=("eve",))
    return create_plan(a_request(), a_call(), app, origin).plan_id


def revised(app):
    plan_id = of()(app)
    return revise_plan(plan_id, a_request(DARK, GLANCE), a_call(), app).plan_id


def archived(app):
    plan_id = of(DARK, GLANCE)(app)
    close_plan(plan_id, ClosePlan(reason="not wanted"), a_call(), app)
    return archive_plan(plan_id, a_call(), app).plan_id


KINDS = {
    "allowed": of(),
    "waits": of(DARK, GLANCE),
    "every stage": of(LOOK, SWITCH, GLANCE, NOTE),
    "fanned out": of(EACH, GLANCE),
    "of a cluster": of(context=EAST),
    "spelled in no ASCII": of(summary="Licht an: 灯 🔦", intent='a "quoted"\nline'),
    "of an alert": of_alert,
    "revised": revised,
    "archived": archived,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_glance_sees_what_a_unit_of_work_reads(app, kind):
    plan_id = KINDS[kind](app)

    seen = app.glances.at(plan_id, a_call())

    with app.begin(a_call()) as work:
        plan, version = work.plans.current(plan_id)
    assert seen == (plan, version, False)
    assert [each.model_dump_json() for each in seen[:2]] == [plan.model_dump_json(), version.model_dump_json()]
    assert seen[1].digest == plan.digest


SCOPES = [
    Scope(environments=("dev",)),
    Scope(environments=("prod",)),
    Scope(services=("checkout",)),
    Scope(environments=("prod",), clusters=("east",)),
    Scope(clusters=("west",)),
    Scope(environments=()),
]


@pytest.mark.parametrize("scope", SCOPES)
def test_a_glance_is_held_to_the_same_scope(app, scope):
    plan_ids = [KINDS[kind](app) for kind in ("allowed", "of a cluster")]
    call = a_call().model_copy(update={"actor": a_call().actor.model_copy(update={"scope": scope})})

    def sees(read, plan_id):
        try:
            return read(plan_id)[0].id
        except PlanNotFound:
            return None

    with app.begin(call) as work:
        read = [sees(work.plans.current, plan_id) for plan_id in plan_ids]
    assert [sees(lambda plan_id: app.glances.at(plan_id, call), plan_id) for plan_id in plan_ids] == read


def test_a_glance_does_not_reach_over_the_walls_even_if_its_question_forgot_whose_plans_it_wants(app):
    plan_id = KINDS["allowed"](app)
    everybodys = ("SELECT id FROM plans", ())

    with pytest.raises(PlanNotFound):
        app.glances.at(plan_id, a_call(tenant="globex"))

    assert look(app.engine, "globex", [everybodys]) == [[]]
    assert look(app.engine, "acme", [everybodys]) == [[[plan_id]]]
