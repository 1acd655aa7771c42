"""Templates take typed values out of an alert and say what is not there."""

import pytest
from pydantic import ValidationError
from tests.builders.intake import a_registration, a_route

from carapulse.intake.errors import RouteInvalid
from carapulse.intake.matching import Regex
from carapulse.intake.templates import fill

SCOPE = {"labels": {"service": "cart", "n": "3"}, "alerts": [{"labels": {"pod": "a"}}, {"labels": {"pod": "b"}}]}


def test_a_reference_becomes_a_typed_value():
    filled, faults = fill(
        {"pods": {"$from": "alerts[].labels.pod"}, "deep": [{"s": {"$from": "labels.service"}}]}, SCOPE
    )

    assert (filled, faults) == ({"pods": ["a", "b"], "deep": [{"s": "cart"}]}, ())


def test_what_is_not_there_is_a_fault_at_its_place():
    _, faults = fill({"a/b": [1, {"$from": "labels.zone"}]}, SCOPE)

    assert [(fault.pointer, fault.code) for fault in faults] == [("/a~1b/1", "not-in-alert")]


def test_a_default_stands_in_for_what_is_not_there():
    assert fill({"zone": {"$from": "labels.zone", "default": "eu"}}, SCOPE) == ({"zone": "eu"}, ())


def test_a_value_that_looks_like_a_reference_stays_a_value():
    filled, _ = fill({"v": {"$from": "labels.service"}}, {"labels": {"service": '{"$from": "labels.n"}'}})

    assert filled == {"v": '{"$from": "labels.n"}'}


def test_an_expression_that_cannot_be_applied_is_a_fault():
    _, faults = fill({"$from": "abs(labels.service)"}, SCOPE)

    assert [fault.code for fault in faults] == ["not-in-alert"]


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ({"$from": "labels."}, "not-jmespath"),
        ({"$from": "lables.service"}, "not-in-scope"),
        ({"$from": 3}, "not-a-reference"),
        ({"$form": "labels.service"}, "not-a-reference"),
        ({"$from": "labels.service", "else": 1}, "not-a-reference"),
        ({"$from": "a" * 501}, "too-long"),
    ],
)
def test_a_template_that_can_never_work_is_refused_at_registration(reference, code):
    with pytest.raises(RouteInvalid) as caught:
        a_registration(routes=[a_route(input={"x": [reference]}).model_dump()]).check()

    assert [(fault.pointer, fault.code) for fault in caught.value.faults] == [("/routes/0/input/x/0", code)]


@pytest.mark.parametrize(
    "expression",
    ["max_by(alerts, &startsAt).labels.pod", "group | commonLabels.x", "labels.a || service", "alerts[0].x"],
)
def test_every_way_to_refer_to_an_alert_is_taken(expression):
    a_registration(routes=[a_route(input={"x": {"$from": expression}}).model_dump()]).check()


def test_where_a_change_happens_may_name_only_the_service_and_the_namespace_by_the_alert():
    reference = {"$from": "labels.environment"}

    a_route(context={"namespace": {"$from": "labels.namespace"}, "service": {"$from": "service"}})
    for name in ("environment", "cluster_id", "region", "aws_account_id", "argocd_project", "grafana_org_id"):
        with pytest.raises(ValidationError):
            a_route(context={name: reference})


@pytest.mark.parametrize("pattern", ["(", "a)|(b", "(?=x)", r"(a)\1"])
def test_an_expression_that_is_not_linear_is_refused(pattern):
    with pytest.raises(ValidationError):
        Regex(regex=pattern)


def test_an_expression_built_to_explode_takes_linear_time():
    assert not Regex(regex="(a+)+").fits("a" * 50_000 + "b")


def test_two_routes_of_one_name_are_refused():
    with pytest.raises(ValidationError, match="same name"):
        a_registration(routes=[a_route().model_dump(), a_route().model_dump()])
