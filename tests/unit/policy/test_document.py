"""The document says exactly what is so, and its digest says exactly which document it was."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError
from tests.builders.policy import a_question

from carapulse.kernel.call import Actor, Call
from carapulse.kernel.context import Context
from carapulse.policy.document import Action, PolicyInput, nanoseconds

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def a_call(**actor) -> Call:
    return Call(
        actor=Actor(id="ada", roles=frozenset({"sre", "operator"}), **actor), tenant="acme", at=NOON, trace="0" * 32
    )


def test_a_call_and_its_place_become_the_document():
    context = Context(environment="dev", namespace="checkout")

    document = PolicyInput.of(a_call(), Action(name="plan.create", type="write"), context, at=NOON).document()

    assert document["call"] == {
        "actor": {
            "id": "ada",
            "kind": "person",
            "roles": ["operator", "sre"],
            "scope": {"environments": None, "services": None, "clusters": None},
        },
        "tenant": "acme",
    }
    assert document["context"]["tenant"] == "acme"
    assert document["context"]["namespace"] == "checkout"
    assert document["plan"] is None
    assert document["now_ns"] == 1_795_262_400_000_000_000


def test_what_has_no_place_has_no_environment():
    read = PolicyInput.of(a_call(), Action(name="plan.list", type="read"), None, at=NOON)

    assert read.context.environment is None
    assert read.context.tenant == "acme"


def test_what_belongs_to_another_tenant_says_so():
    read = PolicyInput.of(a_call(), Action(name="plan.read", type="read"), None, at=NOON, tenant="other")

    assert (read.call.tenant, read.context.tenant) == ("acme", "other")


@pytest.mark.parametrize("microseconds", [0, 1, 999_999])
def test_time_is_exact_to_the_microsecond(microseconds):
    assert nanoseconds(NOON + timedelta(microseconds=microseconds)) == 1_795_262_400_000_000_000 + microseconds * 1000


def test_documents_a_nanosecond_apart_have_different_digests():
    assert a_question(now_ns=2**60).digest() != a_question(now_ns=2**60 + 1).digest()


def test_an_equal_document_has_an_equal_digest():
    assert a_question().digest() == a_question().digest()


@pytest.mark.parametrize(
    "wrong",
    [
        {"now_ns": "1"},
        {"now_ns": 1.0},
        {"now_ns": 2**63},
        {"plan": {"targets": -1}},
        {"plan": {"unbounded": "no"}},
        {"plan": {"risk": "none"}},
        {"constraints": {"max_targets": True}},
        {"constraints": {"max_target": 1}},
        {"action": {"name": "Plan.Create", "type": "write", "stage": None}},
        {"action": {"name": "plan.create", "type": "maybe", "stage": None}},
        {"comment": "let me in"},
    ],
)
def test_a_document_of_another_shape_is_refused(wrong):
    with pytest.raises(ValidationError):
        a_question(**wrong)


def test_what_is_wrong_but_well_formed_can_be_said():
    question = a_question(by="", environment="", constraints={"max_targets": -1})

    assert question.call.actor.id == ""
