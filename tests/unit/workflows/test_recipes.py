"""Every workflow makes a plan that can be drafted, in the right order, with what its input says."""

from typing import Any

import pytest
import yaml
from tests.builders.application import CATALOGUE, WORKFLOWS
from tests.builders.plans import NOON, a_call, a_context, a_request

from carapulse.plans.drafting import Draft, draft
from carapulse.plans.errors import PlanInvalid
from carapulse.plans.model import Stage, UndoAction
from carapulse.tools.expectations import Expectation
from carapulse.tools.model import Risk
from carapulse.workflows.book import Workflows
from carapulse.workflows.errors import RecipeInvalid, WorkflowInputInvalid, WorkflowNotFound

METRIC = {"promql": "errors", "op": "lt", "value": 0.5}
PROBE = {"tool": "http", "action": "probe", "input": {"url": "http://127.0.0.1:1/health"}}
EXAMPLES = [(name, example) for name in WORKFLOWS.names() for example in WORKFLOWS.describe(name).examples]


def made(name, value, **context):
    place = a_context(**context)
    expanded = WORKFLOWS.expand(name, value, place)
    request = a_request(
        steps=None, workflow={"name": name, "input": value}, context=place.model_dump(exclude_none=True)
    )
    return draft(Draft(plan_id="plan_1", request=request, expanded=expanded), a_call(), CATALOGUE, NOON)


def order(version):
    return [f"{step.stage.value[0].upper()} {step.tool}.{step.action}" for step in version.steps]


def test_all_five_are_there():
    names = ("gitops_deploy", "helm_release", "incident_remediation", "scale_service", "secret_rotation")
    assert WORKFLOWS.names() == names


@pytest.mark.parametrize(("name", "value"), EXAMPLES)
def test_the_least_and_the_most_that_can_be_given_make_a_valid_plan(name, value):
    version = made(name, value)

    assert version.workflow.name == name
    assert version.workflow.input == value
    assert all(step.undo is not None for step in version.steps if step.stage is Stage.ACT)
    assert not version.irreversible


@pytest.mark.parametrize(("name", "value"), EXAMPLES)
def test_nothing_is_changed_before_the_diagnosis_and_nothing_told_before_the_verification(name, value):
    steps = made(name, value).steps

    assert [step.stage.rank for step in steps] == sorted(step.stage.rank for step in steps)
    assert all(step.mutating is (step.stage in {Stage.ACT, Stage.REPORT}) for step in steps)
    assert all(step.expect for step in steps if step.stage is Stage.VERIFY)
    assert {step.tool for step in steps if step.stage is Stage.REPORT} <= {"grafana"}


@pytest.mark.parametrize(("name", "value"), EXAMPLES)
def test_a_summary_is_one_line(name, value):
    summary = WORKFLOWS.summary(name, value, a_context())

    assert 5 < len(summary) <= 200
    assert "None" not in summary


def test_gitops_deploy_previews_and_tries_before_it_syncs_the_revision_that_is_asked_for():
    version = made("gitops_deploy", {"app": "checkout", "revision": "v2", "metric": METRIC, "annotate": True})

    assert order(version) == [
        "D argocd.sync-preview",
        "D argocd.sync-dry-run",
        "D argocd.status",
        "A argocd.sync",
        "V argocd.wait",
        "V prometheus.query",
        "R grafana.annotate",
    ]
    assert [version.step(name).input["revision"] for name in ("dry-run", "sync", "wait")] == ["v2"] * 3
    assert version.step("sync").undo == "automatic"


def test_helm_release_upgrades_to_the_version_that_is_asked_for_and_waits():
    value = {"release": "checkout", "chart": "checkout", "version": "1.4.2", "rollout_resource": "deployment/checkout"}
    version = made("helm_release", {**value, "metric": METRIC, "annotate": True})

    assert order(version) == [
        "D helm.revision",
        "A helm.upgrade",
        "V helm.status",
        "V kubectl.rollout-status",
        "V prometheus.query",
        "R grafana.annotate",
    ]
    assert version.step("upgrade").input["version"] == "1.4.2"


def test_helm_release_rolls_back_to_the_revision_that_is_asked_for_and_can_be_undone():
    version = made("helm_release", {"release": "checkout", "strategy": "rollback", "revision": 3})

    assert order(version) == ["D helm.revision", "A helm.rollback", "V helm.status"]
    assert version.step("rollback").input == {"release": "checkout", "namespace": "shop", "revision": 3}


@pytest.mark.parametrize(
    "value",
    [
        {"release": "checkout"},
        {"release": "checkout", "chart": "checkout"},
        {"release": "checkout", "strategy": "rollback"},
        {"release": "checkout", "strategy": "sideways", "chart": "checkout", "version": "1.4.2"},
        {"release": "checkout", "chart": "checkout", "version": "1.4.2", "revision": 3},
    ],
)
def test_helm_release_refuses_what_is_neither_an_upgrade_nor_a_rollback(value):
    with pytest.raises(WorkflowInputInvalid):
        made("helm_release", value)


def test_scale_service_looks_scales_waits_and_compares():
    value = {"resource": "deployment/checkout", "replicas": 5, "current_replicas": 3, "current_at_most": 6}
    version = made("scale_service", {**value, "metric": METRIC, "annotate": True})

    assert order(version) == [
        "D kubectl.get_scale",
        "A kubectl.scale",
        "V kubectl.rollout-status",
        "V kubectl.get_scale",
        "V prometheus.query",
        "R grafana.annotate",
    ]
    assert version.step("look").expect == (
        Expectation(path="replicas", op="eq", value=3),
        Expectation(path="replicas", op="le", value=6),
    )
    assert version.step("scale").input["namespace"] == "shop"
    assert version.step("scale").input["current_replicas"] == 3
    assert version.step("metric").expect == (Expectation(path="value", op="lt", value=0.5),)


@pytest.mark.parametrize(("replicas", "risk"), [(5, Risk.LOW), (21, Risk.MEDIUM), (101, Risk.HIGH), (0, Risk.HIGH)])
def test_the_risk_of_scaling_depends_on_how_far(replicas, risk):
    assert made("scale_service", {"resource": "deployment/checkout", "replicas": replicas}).risk is risk


def test_a_precondition_of_zero_is_a_precondition():
    version = made("scale_service", {"resource": "deployment/checkout", "replicas": 2, "current_replicas": 0})

    assert version.step("look").expect == (Expectation(path="replicas", op="eq", value=0),)


def test_incident_remediation_diagnoses_before_it_acts():
    value = {
        "rules": True,
        "traceql": "{ status = error }",
        "trace_id": "abc",
        "symptom": PROBE,
        "remediation": {
            "tool": "kubectl",
            "action": "scale",
            "input": {"resource": "deployment/checkout", "replicas": 5},
        },
        "check": PROBE,
        "metric": METRIC,
        "annotate": True,
    }

    assert order(made("incident_remediation", value)) == [
        "D prometheus.rules",
        "D prometheus.query",
        "D tempo.traceql",
        "D tempo.trace_by_id",
        "D http.probe",
        "A kubectl.scale",
        "V http.probe",
        "V prometheus.query",
        "R grafana.annotate",
    ]


def test_a_diagnosis_does_not_expect_that_all_is_well():
    remediation = {"tool": "argocd", "action": "sync", "input": {"app": "checkout"}}
    symptom = {"tool": "argocd", "action": "status", "input": {"app": "checkout"}}
    version = made("incident_remediation", {"remediation": remediation, "symptom": symptom, "check": symptom})

    assert version.step("symptom").expect == ()
    assert [each.path for each in version.step("check").expect] == ["health", "sync"]


@pytest.mark.parametrize(
    ("remediation", "risk"),
    [
        ({"tool": "vault", "action": "revoke", "input": {"lease_id": "database/creds/x"}}, Risk.HIGH),
        ({"tool": "argocd", "action": "sync", "input": {"app": "checkout"}}, Risk.MEDIUM),
        ({"tool": "kubectl", "action": "scale", "input": {"resource": "deployment/a", "replicas": 0}}, Risk.HIGH),
    ],
)
def test_a_remediation_is_judged_as_what_it_is(remediation, risk):
    assert made("incident_remediation", {"remediation": remediation, "check": PROBE}).risk is risk


def test_a_remediation_that_nothing_checks_is_refused():
    with pytest.raises(WorkflowInputInvalid):
        made("incident_remediation", {"remediation": {"tool": "argocd", "action": "sync", "input": {"app": "a"}}})


def test_a_remediation_that_does_not_exist_is_refused_with_its_step():
    with pytest.raises(PlanInvalid) as caught:
        made("incident_remediation", {"remediation": {"tool": "vault", "action": "burn"}, "check": PROBE})

    (fault,) = caught.value.faults
    assert (fault.pointer, fault.code) == ("/workflow/input", "unknown-action")
    assert fault.detail.startswith("step remedy: action")


def test_what_is_given_is_never_read_as_a_template():
    remediation = {"tool": "kubectl", "action": "scale", "input": {"resource": {"$from": "context.service"}}}

    with pytest.raises(PlanInvalid):
        made("incident_remediation", {"remediation": remediation, "check": PROBE})


@pytest.mark.parametrize("value", [{"$each": "@"}, {"deep": [{"$each": "@"}]}])
def test_what_is_given_never_takes_the_place_of_a_value_of_the_recipe(value):
    remediation = {"tool": "kubectl", "action": "scale", "input": {"resource": value}}

    with pytest.raises(WorkflowInputInvalid) as caught:
        made("incident_remediation", {"remediation": remediation, "check": PROBE})

    (fault,) = caught.value.faults
    assert fault.code == "misplaced-each"
    assert fault.pointer.startswith("/workflow/input/remediation/input/resource")


def test_a_remediation_cannot_leave_the_context():
    value = {"resource": "deployment/checkout", "replicas": 5, "namespace": "bank"}
    remediation = {"tool": "kubectl", "action": "scale", "input": value}

    with pytest.raises(PlanInvalid) as caught:
        made("incident_remediation", {"remediation": remediation, "check": PROBE})

    assert "outside-context" in {fault.code for fault in caught.value.faults}


def test_secret_rotation_writes_a_new_version_lets_users_take_it_over_and_can_restore_the_old_one():
    value = {"path": "checkout/database", "fields": [{"name": "password", "generate": 32}], "current_version": 3}
    version = made("secret_rotation", {**value, "app": "checkout", "check": PROBE, "metric": METRIC, "annotate": True})

    assert order(version) == [
        "D vault.kv_version",
        "A vault.kv_patch",
        "A argocd.sync",
        "V vault.kv_get",
        "V argocd.wait",
        "V http.probe",
        "V prometheus.query",
        "R grafana.annotate",
    ]
    assert version.step("rotate").undo == "automatic"
    assert version.step("rotate").input["cas"] == 3
    assert version.step("rotated").expect[0] == Expectation(path="version", op="gt", value=3)


def test_a_rotation_after_which_nobody_looks_whether_things_work_is_refused():
    with pytest.raises(WorkflowInputInvalid):
        made("secret_rotation", {"path": "checkout/database", "fields": [{"name": "password", "generate": 32}]})


@pytest.mark.parametrize("name", WORKFLOWS.names())
def test_unknown_input_is_refused_with_its_place(name):
    value = {**WORKFLOWS.describe(name).examples[0], "speed": "fast"}

    with pytest.raises(WorkflowInputInvalid) as caught:
        WORKFLOWS.expand(name, value, a_context())

    assert ("/workflow/input/speed", "unknown-field") in [(each.pointer, each.code) for each in caught.value.faults]


def test_a_workflow_that_does_not_exist_is_not_found():
    with pytest.raises(WorkflowNotFound):
        WORKFLOWS.expand("format_disk", {}, a_context())


RECIPE: dict[str, Any] = {
    "name": "switch_on",
    "version": 1,
    "description": "Switch one lamp on.",
    "summary": "Switch a lamp on",
    "input": {
        "type": "object",
        "required": ["lamp"],
        "additionalProperties": False,
        "properties": {"lamp": {"type": "string", "maxLength": 63}},
    },
    "examples": [{"lamp": "hall"}, {"lamp": "attic"}],
    "steps": [
        {"id": "a", "stage": "act", "tool": "lamps", "action": "switch", "input": {"lamp": {"$from": "input.lamp"}}}
    ],
}
STEP = RECIPE["steps"][0]


@pytest.mark.parametrize(
    "change",
    [
        {"version": 0},
        {"speed": "fast"},
        {"examples": [{"lamp": "hall"}]},
        {"examples": [{"lamp": "hall"}, {"lamp": 7}]},
        {"input": {**RECIPE["input"], "additionalProperties": True}},
        {"input": {**RECIPE["input"], "properties": {"lamp": {"type": "string"}}}},
        {"steps": [{**STEP, "input": {"lamp": {"$from": "input.lmap"}}}]},
        {"steps": [{**STEP, "input": {"lamp": {"$from": "captured.lamp"}}}]},
        {"steps": [{**STEP, "input": {"lamp": {"$from": "input.["}}}]},
        {"steps": [{**STEP, "when": "input.bright"}]},
        {"steps": [{**STEP, "stage": "celebrate"}]},
        {"steps": [{**STEP, "run_when": "steps.["}]},
        {"steps": [{**STEP, "run_when": {"$from": "input.lamp"}}]},
        {"steps": [{**STEP, "input_from": {"lamp": {"step": "a", "path": {"$from": "input.lamp"}}}}]},
        {"steps": [{**STEP, "for_each": {"values": {"$from": "input.lamps"}}}]},
        {"steps": [{**STEP, "input": {"lamp": {"$each": "@", "$from": "input.lamp"}}}]},
        {"steps": [{**STEP, "name": {"$each": "@"}}]},
        {"steps": [STEP, STEP]},
        {"steps": [{**STEP, "depends_on": ["b"]}]},
    ],
)
def test_a_faulty_recipe_stops_the_start(tmp_path, change):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(yaml.safe_dump(RECIPE, sort_keys=False))
    bad.write_text(yaml.safe_dump({**RECIPE, **change}, sort_keys=False))

    assert Workflows.load([good]).names() == ("switch_on",)
    with pytest.raises(RecipeInvalid):
        Workflows.load([bad])


def test_two_recipes_of_one_name_stop_the_start(tmp_path):
    paths = [tmp_path / "one.yaml", tmp_path / "two.yaml"]
    for path in paths:
        path.write_text(yaml.safe_dump(RECIPE))

    with pytest.raises(RecipeInvalid):
        Workflows.load(paths)


def test_a_recipe_may_wait_ask_and_multiply_as_a_plan_may(tmp_path):
    path = tmp_path / "recipe.yaml"
    see = {"id": "see", "stage": "diagnose", "tool": "lamps", "action": "look", "input": {"lamp": "hall"}}
    steps = [
        see,
        {"id": "pause", "stage": "act", "wait": {"for_s": 60}},
        {
            **STEP,
            "run_when": "steps.see.output.on == `false`",
            "depends_on": ["pause"],
            "for_each": {"values": [{"$from": "input.lamp"}, "cellar"], "max_failures": 1},
            "input": {"lamp": {"$each": "@"}, "on": True},
            "undo": {"tool": "lamps", "action": "note", "input": {"lamp": {"$each": "@"}}},
            "point_of_no_return": True,
            "deadline_s": 20,
        },
        {**see, "id": "check", "stage": "verify", "action": "glance", "wait": {"check_s": 60}},
        {
            **see,
            "id": "told",
            "stage": "report",
            "action": "note",
            "input_from": {"text": {"step": "see", "path": "kind"}},
        },
    ]
    path.write_text(yaml.safe_dump({**RECIPE, "steps": steps}, sort_keys=False))
    expanded = Workflows.load([path]).expand("switch_on", {"lamp": "hall"}, a_context())
    request = a_request(steps=None, workflow={"name": "switch_on", "input": {"lamp": "hall"}})
    version = draft(Draft(plan_id="plan_1", request=request, expanded=expanded), a_call(), CATALOGUE, NOON)

    assert [step.id for step in version.steps] == ["see", "pause", "a-1", "a-2", "check", "told"]
    assert version.targets == ("lamps:hall", "lamps:cellar")
    first = version.steps[2]
    assert (first.when, first.deadline_s, first.group) == ("steps.see.output.on == `false`", 20, "a")
    assert first.undo == UndoAction(tool="lamps", action="note", input={"lamp": "hall"})
    assert version.point_of_no_return == "a-1"
    assert version.steps[5].input_from["text"].step == "see"
