"""Schedules over HTTP, from the first to the last word, against a real Postgres."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.builders.caller import Caller
from tests.builders.shipped import the_shipped
from tests.conftest import a_folder
from tests.world.rig import a_call

from carapulse.bootstrap import make_app
from carapulse.schedules.firing import fire_due_schedules
from carapulse.settings import Settings

START: dict[str, Any] = {
    "name": "scale_service",
    "context": {"environment": "dev", "namespace": "shop"},
    "input": {"resource": "deployment/checkout", "replicas": 3},
}
NIGHTLY: dict[str, Any] = {"name": "nightly", "cron": "30 2 * * *", "timezone": "Europe/Berlin", "workflow": START}
PLAN: dict[str, Any] = {
    "summary": "Look at the shop",
    "context": {"environment": "dev"},
    "steps": [{"stage": "diagnose", "tool": "http", "action": "probe", "input": {"url": "http://127.0.0.1:1/"}}],
}


@pytest.fixture(scope="module")
def app(module_database):
    with a_folder() as folder:
        built = make_app(Settings(data_dir=folder), module_database.app_url, shipped=the_shipped())
        yield built
        built.close()


@pytest.fixture(scope="module")
def ask(app):
    return Caller(app)


def made(ask, **changed):
    answer = ask("POST", "/v1/schedules", {**NIGHTLY, **changed}, by="olga", role="operator")
    assert answer.status_code == 201, answer.text
    return answer


def pointers(answer):
    assert answer.status_code == 422, answer.text
    return [each["pointer"] for each in answer.json()["errors"]]


def test_the_life_of_a_schedule(ask):
    answer = made(ask, name="life")
    path, tag = answer.headers["location"], answer.headers["etag"]
    assert answer.json()["created_by"] == "olga"
    assert len(answer.json()["next_runs"]) == 5
    assert answer.json()["next_runs"][0][-6:] in {"+01:00", "+02:00"}
    assert answer.json()["last_run_at"] is None

    shown = ask("GET", path, role="viewer")
    assert shown.headers["etag"] == tag
    off = ask("PATCH", path, {"enabled": False}, by="bob", headers={"if-match": tag})
    assert (off.status_code, off.json()["enabled"], off.json()["next_runs"]) == (200, False, [])
    assert (off.json()["created_by"], off.json()["updated_by"]) == ("olga", "bob")
    assert off.headers["etag"] == ask("GET", path).headers["etag"] != tag

    assert ask("DELETE", path, headers={"if-match": tag}).status_code == 412
    assert ask("DELETE", path, headers={"if-match": off.headers["etag"]}).status_code == 204
    assert ask("GET", path).status_code == 404
    events = ask("GET", "/v1/audit/events", params={"stream": path.rpartition("/")[2]}).json()["data"]
    assert [each["type"] for each in events] == ["ScheduleDeleted", "ScheduleChanged", "ScheduleCreated"]


def test_a_list_is_filtered_before_it_is_cut_into_pages(ask):
    for number in range(3):
        made(ask, name=f"page-{number}", enabled=number != 1)

    first = ask("GET", "/v1/schedules", params={"enabled": True, "limit": 1}, tenant="acme").json()
    rest = ask("GET", "/v1/schedules", params={"enabled": True, "limit": 1, "cursor": first["next_cursor"]}).json()
    off = ask("GET", "/v1/schedules", params={"enabled": False}).json()

    assert [first["data"][0]["name"], rest["data"][0]["name"]] == ["page-2", "page-0"]
    assert "page-1" in {each["name"] for each in off["data"]}


def test_a_name_is_taken_once_in_a_tenant(ask):
    made(ask, name="once")
    other = made(ask, name="other")

    again = ask("POST", "/v1/schedules", {**NIGHTLY, "name": "once"})
    renamed = ask("PATCH", other.headers["location"], {"name": "once"}, headers={"if-match": other.headers["etag"]})
    elsewhere = ask("POST", "/v1/schedules", {**NIGHTLY, "name": "once"}, tenant="globex")

    assert [each.json()["code"] for each in (again, renamed)] == ["schedule-name-taken"] * 2
    assert again.status_code == renamed.status_code == 409
    assert elsewhere.status_code == 201


def test_nobody_else_sees_or_touches_it(ask):
    path = made(ask, name="mine").headers["location"]
    tags = {"if-match": "*"}

    for method, body in (("GET", None), ("PATCH", {"enabled": False}), ("DELETE", None)):
        foreign = ask(method, path, body, headers=tags, tenant="globex")
        absent = ask(method, "/v1/schedules/schedule_0", body, headers=tags, tenant="globex")
        assert foreign.status_code == absent.status_code == 404
        assert foreign.json()["code"] == absent.json()["code"] == "schedule-not-found"
    assert path.rpartition("/")[2] not in ask("GET", "/v1/schedules", tenant="globex").text


def test_a_viewer_looks_and_no_more_and_a_change_names_what_was_read(ask):
    path = made(ask, name="guarded").headers["location"]

    assert ask("POST", "/v1/schedules", NIGHTLY, role="viewer").status_code == 403
    assert ask("PATCH", path, {"enabled": False}, role="viewer", headers={"if-match": "*"}).status_code == 403
    assert ask("DELETE", path, role="viewer", headers={"if-match": "*"}).status_code == 403
    assert ask("PATCH", path, {"enabled": False}).status_code == 428
    assert ask("DELETE", path).status_code == 428
    assert ask("PATCH", path, {"enabled": False}, headers={"if-match": '"old"'}).status_code == 412
    assert ask("GET", path, role="viewer").json()["enabled"] is True


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"cron": "0 0 30 2 *"}, "/cron"),
        ({"timezone": "Mars/Olympus"}, "/timezone"),
        ({"timezone": "localtime"}, "/timezone"),
        ({"timezone": "posixrules"}, "/timezone"),
        ({"timezone": "right/Europe/Berlin"}, "/timezone"),
        ({"enabled": "yes"}, "/enabled"),
        ({"catch_up_s": 60}, "/catch_up_s"),
        ({"overlap_policy": "queue"}, "/overlap_policy"),
        ({"authors": []}, "/authors"),
        ({"next_at": None}, "/next_at"),
        ({"name": "No Slug"}, "/name"),
        ({"created_by": "mallory"}, "/created_by"),
        ({"workflow": None}, ""),
        ({"plan": PLAN}, ""),
        ({"workflow": {**START, "name": "format_disk"}}, "/workflow/name"),
        ({"workflow": {**START, "input": {"resource": "deployment/checkout"}}}, "/workflow/input/replicas"),
        (
            {"workflow": None, "plan": {**PLAN, "steps": [{**PLAN["steps"][0], "action": "burn"}]}},
            "/plan/steps/0/action",
        ),
        ({"workflow": None, "plan": {**PLAN, "trigger": "manual"}}, "/plan/trigger"),
    ],
)
def test_what_could_not_be_asked_for_is_refused_with_its_place(ask, changed, pointer):
    bad = {**NIGHTLY, "name": "bad", **changed}

    assert pointers(ask("POST", "/v1/schedules", bad)) == [pointer]
    assert pointers(ask("POST", "/v1/schedules:preview", bad)) == [pointer]


def test_a_change_that_makes_it_impossible_is_refused(ask):
    answer = made(ask, name="possible")
    path, tags = answer.headers["location"], {"if-match": answer.headers["etag"]}

    assert pointers(ask("PATCH", path, {"cron": "never"}, headers=tags)) == ["/cron"]
    assert pointers(ask("PATCH", path, {"workflow": {"name": "nothing"}}, headers=tags)) == ["/workflow/name"]
    assert ask("GET", path).headers["etag"] == answer.headers["etag"]


def test_a_preview_keeps_nothing(ask):
    shown = ask("POST", "/v1/schedules:preview", {"name": "seen", "cron": "@hourly", "enabled": False, "plan": PLAN})

    assert shown.status_code == 200
    assert len(shown.json()["next_runs"]) == 5
    assert "seen" not in {each["name"] for each in ask("GET", "/v1/schedules").json()["data"]}


def test_what_came_of_it_is_listed_for_whoever_may_read_it_and_for_nobody_else(ask, app):
    path = made(ask, name="watched", cron="* * * * *").headers["location"]
    before = ask("GET", path).headers["etag"]
    soon = datetime.now(UTC) + timedelta(minutes=2)
    fire_due_schedules(a_call("scheduler").model_copy(update={"at": soon}), app)

    listed = ask("GET", f"{path}/runs", role="viewer").json()["data"]
    shown = ask("GET", path)

    assert [(each["status"], each["plan_id"], each["reasons"]) for each in listed] == [("due", None, [])]
    assert (shown.json()["last_due_at"], shown.json()["last_status"]) == (listed[0]["due_at"], "due")
    assert shown.headers["etag"] == before
    for foreign in (ask("GET", f"{path}/runs", tenant="globex"), ask("GET", "/v1/schedules/schedule_0/runs")):
        assert (foreign.status_code, foreign.json()["code"]) == (404, "schedule-not-found")
    assert ask("GET", f"{path}/runs", params={"cursor": "then"}).status_code == 422
