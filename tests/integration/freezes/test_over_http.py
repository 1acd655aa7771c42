"""Freezes and windows over HTTP, against a real Postgres: their life, who may, and that they bind what is asked for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.builders.caller import Caller
from tests.builders.shipped import the_shipped
from tests.conftest import a_folder

from carapulse.bootstrap import make_app
from carapulse.settings import Settings

HOUR = timedelta(hours=1)
NOW = datetime.now(UTC)
FREEZE: dict[str, Any] = {"name": "sale", "environments": ["staging"], "reason": "many people shop"}
NEVER = [{"days": ["mon"], "start": "00:00", "end": "00:01"}]
WINDOW: dict[str, Any] = {"name": "nights", "environments": ["staging"], "timezone": "Europe/Berlin", "weekly": NEVER}
KINDS = [("/v1/freezes", FREEZE), ("/v1/windows", WINDOW)]
PLAN: dict[str, Any] = {
    "summary": "Look at the shop",
    "steps": [
        {
            "stage": "verify",
            "tool": "http",
            "action": "probe",
            "input": {"url": "http://127.0.0.1:1/"},
            "expect": [{"path": "status", "op": "eq", "value": 200}],
        }
    ],
}


@pytest.fixture(scope="module")
def ask(module_database):
    with a_folder() as folder:
        app = make_app(Settings(data_dir=folder), module_database.app_url, shipped=the_shipped())
        yield Caller(app)
        app.close()


def made(ask, path, terms, **rest):
    answer = ask("POST", path, terms, **rest)
    assert answer.status_code == 201, answer.text
    return answer


def lift(ask, path, tag="*", **rest):
    given: dict[str, Any] = {"params": {"reason": "the sale is over"}, "headers": {"if-match": tag}}
    return ask("DELETE", path, **given, **rest)


def a_plan(ask, environment, **rest):
    return ask("POST", "/v1/plans", {**PLAN, "context": {"environment": environment, **rest}}, role="operator")


def reasons(answer):
    assert answer.status_code == 403, answer.text
    return {(each["guard"], each["reason"]) for each in answer.json()["reasons"]}


@pytest.mark.parametrize(("kind", "terms"), KINDS)
def test_the_life_of_one(ask, kind, terms):
    answer = made(ask, kind, {**terms, "name": "life", "environments": ["dev-1"]}, by="sam", role="sre")
    path, tag = answer.headers["location"], answer.headers["etag"]
    assert (answer.json()["created_by"], answer.json()["lifted_at"]) == ("sam", None)

    changed = ask("PATCH", path, {"environments": ["dev-2"]}, by="eve", headers={"if-match": tag})
    assert (changed.status_code, changed.json()["environments"], changed.json()["updated_by"]) == (
        200,
        ["dev-2"],
        "eve",
    )
    assert ask("DELETE", path, params={"reason": "over"}, headers={"if-match": tag}).status_code == 412
    assert ask("DELETE", path, headers={"if-match": "*"}).status_code == 422
    assert lift(ask, path, changed.headers["etag"], by="eve").status_code == 204

    gone = ask("GET", path, role="viewer").json()
    assert (gone["lifted_by"], gone["lifted_because"]) == ("eve", "the sale is over")
    assert lift(ask, path).status_code == ask("PATCH", path, {}, headers={"if-match": "*"}).status_code == 409
    events = ask("GET", "/v1/audit/events", params={"stream": gone["id"]}).json()["data"]
    assert [each["type"].removeprefix("Freeze").removeprefix("Window") for each in events] == [
        "Lifted",
        "Changed",
        "Declared",
    ]
    assert events[0]["body"]["because"] == "the sale is over"


@pytest.mark.parametrize(("kind", "terms"), KINDS)
def test_a_name_is_free_again_once_its_bearer_is_lifted(ask, kind, terms):
    named = {**terms, "name": "again", "environments": ["dev-3"]}
    first = made(ask, kind, named).headers["location"]

    taken = ask("POST", kind, named)
    lift(ask, first)

    assert (taken.status_code, taken.json()["code"]) == (409, "rule-name-taken")
    made(ask, kind, named)
    assert ask("POST", kind, named, tenant="globex").status_code == 201


@pytest.mark.parametrize(("kind", "terms"), KINDS)
def test_nobody_else_sees_or_touches_one(ask, kind, terms):
    path = made(ask, kind, {**terms, "name": "mine", "environments": ["dev-4"]}).headers["location"]

    for method, body, reason in (("GET", None, {}), ("PATCH", {}, {}), ("DELETE", None, {"reason": "not mine"})):
        answers = [
            ask(method, each, body, params=reason, headers={"if-match": "*"}, tenant="globex")
            for each in (path, f"{kind}/nothing")
        ]
        assert [each.status_code for each in answers] == [404, 404]
        assert len({each.json()["code"] for each in answers}) == 1
    assert path.rpartition("/")[2] not in ask("GET", kind, tenant="globex").text


@pytest.mark.parametrize(("kind", "terms"), KINDS)
def test_a_viewer_looks_and_no_more_and_a_change_names_what_was_read(ask, kind, terms):
    path = made(ask, kind, {**terms, "name": "guarded", "environments": ["dev-5"]}).headers["location"]

    for role in ("viewer", "operator"):
        assert ask("GET", path, role=role).status_code == ask("GET", kind, role=role).status_code == 200
        assert ask("POST", kind, terms, role=role).status_code == 403
        assert ask("PATCH", path, {}, role=role, headers={"if-match": "*"}).status_code == 403
        assert lift(ask, path, role=role).status_code == 403
    assert ask("PATCH", path, {}).status_code == ask("DELETE", path, params={"reason": "over"}).status_code == 428
    assert ask("PATCH", path, {}, headers={"if-match": '"old"'}).status_code == 412


@pytest.mark.parametrize(
    ("kind", "changed", "pointer"),
    [
        ("/v1/freezes", {"environments": []}, "/environments"),
        ("/v1/freezes", {"environments": ["prod", "Prod"]}, "/environments/1"),
        ("/v1/freezes", {"reason": "two\nlines"}, "/reason"),
        ("/v1/freezes", {"until": (NOW - HOUR).isoformat()}, "/until"),
        ("/v1/freezes", {"until": "2026-12-24T00:00:00"}, "/until"),
        ("/v1/freezes", {"until": "9999-12-31T23:59:59-12:00"}, "/until"),
        ("/v1/freezes", {"created_by": "mallory"}, "/created_by"),
        ("/v1/windows", {"weekly": []}, "/weekly"),
        ("/v1/windows", {"timezone": "../../etc/passwd"}, "/timezone"),
        ("/v1/windows", {"weekly": [*NEVER, {"days": ["mon"], "start": "09:00", "end": "9"}]}, "/weekly/1/end"),
        ("/v1/windows", {"lifted_at": None}, "/lifted_at"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(ask, kind, changed, pointer):
    answer = ask("POST", kind, {**dict(KINDS)[kind], **changed})

    assert answer.status_code == 422, answer.text
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


def test_a_list_tells_which_held_at_a_moment_before_it_is_cut(ask):
    def at(hours):
        return (NOW + hours * HOUR).isoformat()

    for number, (start, end) in enumerate([(2, 4), (3, 5), (6, None)]):
        made(
            ask,
            "/v1/freezes",
            {
                **FREEZE,
                "name": f"list-{number}",
                "environments": ["dev-6"],
                "starts_at": at(start),
                "until": end and at(end),
            },
        )

    def held(hours, **more):
        page = ask("GET", "/v1/freezes", params={"active_at": at(hours), **more}).json()
        return [each["name"] for each in page["data"] if each["name"].startswith("list-")]

    assert [held(each) for each in (2, 3, 4, 5)] == [["list-0"], ["list-1", "list-0"], ["list-1"], []]
    assert held(3, limit=1) == ["list-1"]
    assert "list-2" in held(6)


def test_a_freeze_forbids_to_draft_and_says_which_it_is(ask):
    path = made(ask, "/v1/freezes", {**FREEZE, "services": ["shop"]}).headers["location"]

    frozen = a_plan(ask, "staging", service="shop")
    assert ("declared_freeze", "the freeze sale holds here") in reasons(frozen)
    assert a_plan(ask, "staging", service="bank").status_code == 201
    assert a_plan(ask, "dev", service="shop").status_code == 201
    lift(ask, path)
    assert a_plan(ask, "staging", service="shop").status_code == 201


@pytest.mark.parametrize(
    ("kind", "terms", "guard"),
    [
        ("/v1/freezes", {**FREEZE, "allow_drafts": True}, "declared_freeze"),
        (
            "/v1/windows",
            {**WINDOW, "weekly": [{"days": [f"{NOW - 48 * HOUR:%a}".lower()], "start": "00:00", "end": "00:01"}]},
            "declared_window",
        ),
    ],
)
def test_what_may_be_drafted_may_not_be_executed_before_it_is_over(ask, kind, terms, guard):
    path = made(ask, kind, {**terms, "name": "hold", "environments": ["staging"]}).headers["location"]
    plan = a_plan(ask, "staging").json()["plan_id"]

    refused = ask("POST", f"/v1/plans/{plan}:execute", {}, role="operator")
    assert {each for each, _ in reasons(refused)} == {guard}
    lift(ask, path)
    assert ask("POST", f"/v1/plans/{plan}:execute", {}, role="operator").status_code in {201, 202}
