"""A tenant's own versions of workflows over HTTP: what is kept is what is started, and nobody else's business."""

from itertools import count
from typing import Any

import pytest
from tests.builders.application import LAMPS
from tests.builders.caller import Caller
from tests.builders.shipped import the_shipped
from tests.conftest import a_folder

from carapulse.bootstrap import make_app
from carapulse.settings import Settings

STEP: dict[str, Any] = {
    "id": "look",
    "stage": "diagnose",
    "tool": "lamps",
    "action": "look",
    "input": {"lamp": {"$from": "input.lamp"}},
}
RECIPE: dict[str, Any] = {
    "description": "Look at one lamp, and change nothing.",
    "summary": {"$from": "join(' ', ['Look at', input.lamp])"},
    "input": {
        "type": "object",
        "required": ["lamp"],
        "additionalProperties": False,
        "properties": {"lamp": {"type": "string", "maxLength": 63}},
    },
    "examples": [{"lamp": "hall"}, {"lamp": "attic"}],
    "steps": [STEP],
}
START = {"context": {"environment": "dev"}, "input": {"lamp": "hall"}}
numbers = count(1)


@pytest.fixture(scope="module")
def ask(module_database):
    with a_folder() as folder:
        app = make_app(Settings(data_dir=folder), module_database.app_url, shipped=the_shipped(LAMPS))
        yield Caller(app)
        app.close()


def a_name():
    return f"own_{next(numbers)}"


def made(ask, name, *, step=STEP, **changed):
    answer = ask("POST", f"/v1/workflows/{name}/versions", {**RECIPE, "steps": [step], **changed}, by="sam", role="sre")
    assert answer.status_code == 201, answer.text
    return answer


def started(ask, name, **changed):
    return ask("POST", f"/v1/workflows/{name}:start", {**START, **changed}, role="operator")


def retired(ask, answer, **rest):
    given: dict[str, Any] = {"headers": {"if-match": answer.headers["etag"]}, **rest}
    return ask("DELETE", answer.headers["location"], **given)


def use_of(answer):
    assert answer.status_code == 201, answer.text
    return {name: answer.json()["workflow"][name] for name in ("name", "version", "digest")}


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        ("Two\nlines", "Two lines"),
        ({"$from": "join(`\"\\n\"`, ['Look at', input.lamp])"}, "Look at hall"),
        ({"$from": '`" "`'}, "Start {name}"),
        ({"$from": "context.service"}, "Start {name}"),
    ],
)
def test_a_summary_is_one_line_whatever_its_template_comes_to(ask, summary, said):
    name = a_name()
    made(ask, name, summary=summary)

    assert started(ask, name).json()["summary"] == said.format(name=name)


def test_a_name_that_no_workflow_can_have_is_answered_like_one_that_none_has(ask):
    answers = [started(ask, name) for name in ("nothing", "x" * 64)]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [(404, "workflow-not-found")] * 2


def test_the_newest_version_is_the_one_that_is_started_and_the_plan_says_which(ask):
    name = a_name()
    first, second = made(ask, name), made(ask, name, step={**STEP, "id": "glance"})
    assert [each.json()["version"] for each in (first, second)] == [1, 2]
    assert (second.json()["origin"], second.json()["created_by"]) == ("tenant", "sam")

    newest, asked_for = started(ask, name), started(ask, name, version=1)

    assert use_of(newest) == {"name": name, "version": 2, "digest": second.json()["digest"]}
    assert (newest.json()["steps"][0]["id"], newest.json()["summary"]) == ("glance", "Look at hall")
    assert use_of(asked_for) == {"name": name, "version": 1, "digest": first.json()["digest"]}
    named = {"summary": "Look", "context": START["context"], "workflow": {"name": name, "input": START["input"]}}
    assert use_of(ask("POST", "/v1/plans", named)) == use_of(newest)


def test_the_version_before_is_started_again_once_the_newest_is_retired(ask):
    name = a_name()
    first, second = made(ask, name), made(ask, name)

    assert retired(ask, second).status_code == 204
    assert use_of(started(ask, name))["version"] == 1
    assert started(ask, name, version=2).json()["code"] == "workflow-version-retired"
    assert ask("GET", second.headers["location"]).json()["retired_by"] == "ada"
    assert retired(ask, first).status_code == 204
    assert started(ask, name).status_code == 404
    assert made(ask, name).json()["version"] == 3


def test_an_own_version_stands_before_the_one_of_the_program_in_its_tenant_alone(ask):
    builtin = ask("GET", "/v1/workflows/scale_service").json()
    own = made(ask, "scale_service")

    assert (builtin["origin"], builtin["version"], own.json()["version"]) == ("builtin", 1, 2)
    assert use_of(started(ask, "scale_service"))["digest"] == own.json()["digest"]
    assert ask("GET", "/v1/workflows/scale_service").json() == own.json()
    assert ask("GET", "/v1/workflows/scale_service", params={"version": 1}).json() == builtin
    assert ask("GET", "/v1/workflows/scale_service", tenant="globex").json() == builtin
    versions = ask("GET", "/v1/workflows/scale_service/versions").json()["data"]
    assert [(each["version"], each["origin"]) for each in versions] == [(2, "tenant"), (1, "builtin")]
    assert retired(ask, own).status_code == 204
    assert ask("GET", "/v1/workflows/scale_service").json() == builtin
    first = ask("GET", "/v1/workflows/scale_service/versions/1")
    gone = ask("DELETE", "/v1/workflows/scale_service/versions/1", headers={"if-match": first.headers["etag"]})
    assert (gone.status_code, gone.json()["code"]) == (409, "workflow-builtin")


def test_lists_show_every_name_and_version_once_page_by_page(ask):
    names = [made(ask, f"list_{each}").json()["name"] for each in ("b", "a")]
    made(ask, "list_a")

    def all_of(path):
        found: list[tuple[str, int]] = []
        cursor: dict[str, str] | None = {}
        while cursor is not None:
            page = ask("GET", path, params={"limit": 1, **cursor}).json()
            assert len(page["data"]) <= 1
            found += [(each["name"], each["version"]) for each in page["data"]]
            cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
        return found

    listed = all_of("/v1/workflows")
    assert [each for each in listed if each[0] in names] == [("list_a", 2), ("list_b", 1)]
    assert [name for name, _ in listed] == sorted({name for name, _ in listed})
    assert "gitops_deploy" in {name for name, _ in listed}
    made(ask, "gitops_deploy")
    assert all_of("/v1/workflows/gitops_deploy/versions") == [("gitops_deploy", 2), ("gitops_deploy", 1)]


def test_w_t13_two_tenants_have_the_same_name_and_see_their_own(ask):
    name = a_name()
    mine = made(ask, name)

    absent = ask("GET", f"/v1/workflows/{a_name()}", tenant="globex").json()
    for path in (f"/v1/workflows/{name}", f"/v1/workflows/{name}/versions", mine.headers["location"]):
        foreign = ask("GET", path, tenant="globex")
        assert (foreign.status_code, foreign.json()["code"]) == (404, absent["code"])
    assert retired(ask, mine, tenant="globex").status_code == 404
    theirs = ask(
        "POST",
        f"/v1/workflows/{name}/versions",
        {**RECIPE, "examples": [{"lamp": "a"}, {"lamp": "b"}]},
        tenant="globex",
    )
    assert (theirs.status_code, theirs.json()["version"]) == (201, 1)
    assert ask("GET", f"/v1/workflows/{name}").json() == mine.json()


def test_an_operator_starts_and_looks_and_no_more_and_a_retirement_names_what_was_read(ask):
    answer = made(ask, a_name())
    path = answer.headers["location"]

    assert ask("POST", f"/v1/workflows/{a_name()}/versions", RECIPE, role="operator").status_code == 403
    assert retired(ask, answer, role="operator").status_code == 403
    assert started(ask, answer.json()["name"]).status_code == 201
    assert ask("DELETE", path).status_code == 428
    assert ask("DELETE", path, headers={"if-match": '"old"'}).status_code == 412
    assert retired(ask, answer).status_code == 204
    assert ask("DELETE", path, headers={"if-match": "*"}).json()["code"] == "workflow-version-retired"
    events = ask("GET", "/v1/audit/events", params={"stream": f"workflow:{answer.json()['name']}"}).json()["data"]
    assert [each["type"] for each in events] == ["WorkflowVersionRetired", "WorkflowVersionAdded"]


def test_what_schedules_start_is_not_retired(ask):
    name = a_name()
    first, second = made(ask, name), made(ask, name)

    def schedule(called, **version):
        body = {"name": called, "cron": "@daily", "workflow": {"name": name, **START, **version}}
        answer = ask("POST", "/v1/schedules", body)
        assert answer.status_code == 201, answer.text
        return answer

    pinned, free = schedule("pinned", version=1), schedule("free")

    refused = retired(ask, first)
    assert (refused.json()["code"], refused.json()["schedules"]) == ("workflow-in-use", [pinned.json()["id"]])
    assert retired(ask, second).status_code == 204
    ask("DELETE", pinned.headers["location"], headers={"if-match": "*"})
    assert retired(ask, first).json()["schedules"] == [free.json()["id"]]
    gone = ask(
        "POST", "/v1/schedules", {"name": "late", "cron": "@daily", "workflow": {"name": name, **START, "version": 2}}
    )
    assert [each["pointer"] for each in gone.json()["errors"]] == ["/workflow/version"]


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"version": 7}, "/version"),
        ({"name": "other"}, "/name"),
        ({"description": "short"}, "/description"),
        ({"examples": [{"lamp": "hall"}]}, "/examples"),
        ({"examples": [{"lamp": "hall"}, {"lamp": 7}]}, "/examples/1/lamp"),
        ({"input": {**RECIPE["input"], "properties": {"lamp": {"type": "string"}}}}, "/input/properties/lamp"),
        ({"input": {**RECIPE["input"], "properties": []}}, "/input"),
        ({"input": {**RECIPE["input"], "allOf": [True]}}, None),
        ({"summary": {"$from": "input.lmap"}}, "/summary"),
        ({"summary": {"$fields": "input"}}, "/summary"),
        ({"steps": [{**STEP, "input": {"lamp": {"$from": "input.lmap"}}}]}, "/steps/0"),
        ({"steps": [{**STEP, "input": {"lamp": {"$from": "input.lamp", "$at": "input.lamp"}}}]}, "/steps/0"),
        ({"steps": [{**STEP, "input": {"lamp": {"$from": "input.["}}}]}, "/steps/0/input"),
        ({"steps": [{**STEP, "tool": "candles"}]}, "/steps/0/tool"),
        ({"steps": [{**STEP, "action": "burn"}]}, "/steps/0/action"),
        ({"steps": [STEP, STEP]}, "/steps/1/id"),
        ({"steps": [{**STEP, "input": {"candle": "hall"}}]}, "/examples/0"),
        ({"steps": [{**STEP, "stage": "verify"}]}, "/examples/0"),
    ],
)
def test_a_recipe_that_can_not_be_valid_is_refused_with_its_place(ask, changed, pointer):
    answer = ask("POST", "/v1/workflows/faulty/versions", {**RECIPE, **changed})

    if pointer is None:
        assert answer.status_code == 201
        return
    assert answer.status_code == 422, answer.text
    assert pointer in [each["pointer"] for each in answer.json()["errors"]]
    assert ask("GET", "/v1/workflows/faulty", tenant="globex").status_code == 404


def test_a_name_that_is_none_is_refused(ask):
    assert ask("POST", "/v1/workflows/No-Name/versions", RECIPE).status_code == 422
