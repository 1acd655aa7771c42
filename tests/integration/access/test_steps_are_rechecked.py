"""A worker acts for whoever had the plan executed, and for nothing outside of what they may touch."""

import json

from tests.world.rig import a_call, act, check

from carapulse.audit.model import EventFilter
from carapulse.executions.model import Status
from carapulse.plans.usecases import read_decisions


def test_a_step_outside_of_the_requester_s_scope_is_refused_with_its_reason(rig, database):
    execution_id = rig.start(rig.plan(act("switch", "hall"), check("hall")))
    with database.as_superuser() as connection:
        scope = json.dumps({"environments": ["staging"], "services": None, "clusters": None})
        connection.run(
            "UPDATE executions SET state = jsonb_set(state, '{requested_by,scope}', CAST(:scope AS jsonb))", scope=scope
        )

    state = rig.finish(execution_id)

    assert (state.status, rig.world.effects) == (Status.FAILED, [])
    with rig.app.begin(a_call()) as work:
        (failed,) = work.evidence.page(EventFilter(stream=state.plan_id, type="StepFailed")).data
    said = {"guard": "within_scope", "reason": "the environment is outside of what the caller may touch"}
    assert failed.body["grant"]["outcome"] == "deny"
    assert failed.body["grant"]["reasons"] == [said]
    refused = [each for each in read_decisions(state.plan_id, a_call(), rig.app) if each.step_id]
    assert [(each.action, each.outcome) for each in refused] == [("step.run", "deny")]
    assert refused[0].reasons[0].model_dump() == said
