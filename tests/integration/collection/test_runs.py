"""How runs go: one for each time that is due, whole or not at all, and no collector in another's way."""

import threading
from datetime import timedelta

import pytest
from tests.builders.shipped import the_shipped
from tests.builders.tools import Reply
from tests.world.collecting import EVERY_S

from carapulse.bootstrap import make_app
from carapulse.collection.errors import CollectorBusy
from carapulse.collection.messages import RunCollector
from carapulse.collection.running import give_run_up, run_collector
from carapulse.collection.ticking import start_due_collections

BOARDS = {"system": "grafana", "context": {"environment": "dev"}}
OF_COLLECTIONS = ("CollectorPut", "CollectorDeleted", "CollectionAsked", "CollectionFailed", "CollectionRecovered")
DASHBOARD, FOLDER = "grafana/boards/own/dashboard/d1", "grafana/boards/own/folder/f1"


def waiting(desk):
    with desk.app.begin(desk.call()) as work:
        rows = work.connection.exec_driver_sql("SELECT body FROM messages WHERE queue = 'collection'")
        return [RunCollector.model_validate(body) for (body,) in rows]


def test_what_is_there_is_reported_and_seen_again_makes_no_fact(desk):
    desk.put("boards", BOARDS)
    desk.minute()
    first = desk.status("boards")
    desk.minute()
    second = desk.status("boards")

    assert desk.nodes() == {"boards": {DASHBOARD, FOLDER}}
    assert desk.edges() == {(FOLDER, DASHBOARD, "contains")}
    assert desk.happened("ContextRefreshed", *OF_COLLECTIONS) == [
        ("CollectorPut", "ada"),
        ("ContextRefreshed", "collector:boards"),
    ]
    assert (first["state"], first["nodes"], first["edges"], first["age_s"], first["stale"]) == ("ok", 2, 1, 0, False)
    assert second["last_success_at"] > first["last_success_at"]
    assert second["snapshot_id"] == first["snapshot_id"]


def test_a_failure_is_told_once_for_each_reason_keeps_what_was_said_and_marks_it_stale(desk, boards):
    desk.put("boards", BOARDS)
    desk.minute()
    boards.broken = Reply({"message": "who are you"}, 401)
    desk.minute()
    desk.minute()
    boards.broken = Reply({"message": "not you"}, 403)
    desk.minute()
    failing = desk.status("boards")
    desk.minute()

    stale = desk.status("boards")
    assert desk.nodes() == {"boards": {DASHBOARD, FOLDER}}
    assert (failing["state"], failing["stale"], failing["age_s"]) == ("failing", False, 3 * EVERY_S)
    assert (stale["stale"], stale["age_s"]) == (True, 4 * EVERY_S)
    error = failing["last_error"]
    assert (error["code"], error["read"], error["detail"]) == ("collection-read-failed", "folders", "HTTP status 403")
    assert "not you" in error["said"]
    boards.broken = None
    desk.minute()
    assert (desk.status("boards")["state"], desk.status("boards")["last_error"]) == ("ok", None)
    assert [kind for kind, _ in desk.happened(*OF_COLLECTIONS)] == [
        "CollectorPut",
        "CollectionFailed",
        "CollectionFailed",
        "CollectionRecovered",
    ]


def test_one_that_fails_leaves_the_others_fresh(desk, boards):
    desk.put("alone", {"system": "grafana", "context": {"environment": "prod", "grafana_org_id": "9"}})
    desk.put("nowhere", {"system": "prometheus", "context": {"environment": "dev"}})
    desk.put("boards", BOARDS)
    desk.minute()

    boards.dashboards.clear()
    desk.minute()

    assert desk.status("nowhere")["last_error"]["code"] == "no-connection"
    assert desk.nodes() == {
        "boards": {FOLDER},
        "alone": {"grafana/boards/9/folder/f1"},
    }


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Reply(b'[{"uid": "f2", "title": "Cut'), "collection-read-failed"),
        (Reply({"message": "no list"}), "collection-read-not-whole"),
        (Reply([{"title": "No uid"}]), "collection-answer-unusable"),
        (Reply([{"uid": "f2", "title": "two\nlines"}]), "collection-answer-unusable"),
        (Reply([{"uid": f"f{n}", "title": "x"} for n in range(5000)]), "collection-read-not-whole"),
        (Reply(b"[" + b" " * 5_000_000 + b"]"), "collection-read-not-whole"),
    ],
    ids=["cut off in the middle", "of another shape", "a part is missing", "unfit", "as many as asked", "too much"],
)
def test_an_answer_that_is_not_whole_or_makes_no_sense_is_no_report(desk, boards, answer, code):
    desk.put("boards", BOARDS)
    desk.minute()

    boards.broken = answer
    desk.minute()

    assert desk.status("boards")["last_error"]["code"] == code
    assert desk.nodes() == {"boards": {DASHBOARD, FOLDER}}


def test_a_kind_that_others_contradict_is_a_failure_and_no_report(desk):
    node = {"id": FOLDER, "kind": "drawer", "name": "f1"}
    assert desk.ask("POST", "/v1/context:refresh", {"source": "cmdb", "nodes": [node]}).status_code == 201
    desk.put("boards", BOARDS)

    desk.minute()

    error = desk.status("boards")["last_error"]
    assert (error["code"], error["said"]) == (
        "context-invalid",
        f"/nodes/0/kind: another source says that {FOLDER} is of kind drawer",
    )
    assert desk.nodes() == {"cmdb": {FOLDER}}


def test_a_read_that_policy_denies_is_a_failure_with_its_reason_and_nothing_is_read(desk):
    desk.put("boards", {**BOARDS, "context": {"environment": "moon"}})

    desk.minute()

    error = desk.status("boards")["last_error"]
    assert error["code"] == "collection-read-denied"
    assert error["detail"] == "policy says no: known_environment: the environment is not one that we know"
    assert desk.nodes() == {}
    assert ("CollectionFailed", "collector:boards") in desk.happened("CollectionFailed")


def test_one_that_is_switched_off_does_not_run_also_when_it_was_asked_to_before(desk):
    tag = desk.put("boards", BOARDS).headers["etag"]
    assert desk.ask("POST", "/v1/collectors/boards:run").status_code == 202
    desk.put("boards", {**BOARDS, "enabled": False}, headers={"if-match": tag})

    desk.minute()

    assert (desk.status("boards")["state"], desk.status("boards")["next_at"]) == ("never", None)
    assert desk.ask("POST", "/v1/collectors/boards:run").json()["code"] == "collector-disabled"


def test_two_clocks_have_it_run_once_and_what_was_missed_once(desk, module_database):
    other = make_app(desk.app.settings, module_database.app_url, clock=desk.clock, shipped=the_shipped())
    desk.put("boards", BOARDS)
    desk.clock.move(timedelta(hours=1, seconds=10))
    call, started = desk.call(), []
    together = threading.Barrier(2)

    def tick(app):
        together.wait()
        started.append(start_due_collections(call, app))

    clocks = [threading.Thread(target=tick, args=(app,)) for app in (desk.app, other)]
    for each in clocks:
        each.start()
    for each in clocks:
        each.join()
    other.close()

    assert sorted(started) == [0, 1]
    assert len(waiting(desk)) == 1
    assert start_due_collections(call, desk.app) == 0
    desk.minute()
    assert desk.happened("ContextRefreshed") == [("ContextRefreshed", "collector:boards")]


def test_a_clock_does_not_wait_for_one_that_somebody_has_locked(desk):
    desk.put("boards", BOARDS)
    desk.clock.move(timedelta(seconds=1))
    call = desk.call()

    with desk.app.begin(desk.call()) as work:
        assert work.collectors.lock("boards") is not None
        started = start_due_collections(call, desk.app)

    assert started == 0


def test_messages_that_piled_up_make_one_run(desk):
    desk.put("boards", BOARDS)
    for _ in range(3):
        assert desk.ask("POST", "/v1/collectors/boards:run").status_code == 202
    (first, *_, last) = waiting(desk)

    run_collector(first, desk.call(), desk.app)
    assert desk.nodes() == {}
    run_collector(last, desk.call(), desk.app)
    seen = desk.status("boards")
    desk.clock.move(timedelta(seconds=1))
    run_collector(last, desk.call(), desk.app)

    assert desk.nodes() == {"boards": {DASHBOARD, FOLDER}}
    assert desk.status("boards")["last_started_at"] == seen["last_started_at"]


def test_the_same_message_does_nothing_while_another_worker_is_at_it(desk, boards):
    desk.put("boards", BOARDS)
    desk.ask("POST", "/v1/collectors/boards:run")
    (message,) = waiting(desk)
    again: list[str] = []

    def meanwhile():
        if not again:
            again.append("asked")
            with pytest.raises(CollectorBusy):
                run_collector(message, desk.call(), desk.app)

    boards.meanwhile = meanwhile
    run_collector(message, desk.call(), desk.app)

    assert again == ["asked"]
    assert desk.happened("ContextRefreshed") == [("ContextRefreshed", "collector:boards")]


def test_what_was_seen_on_other_terms_is_not_reported(desk, boards):
    tag = desk.put("boards", BOARDS).headers["etag"]
    desk.ask("POST", "/v1/collectors/boards:run")
    (message,) = waiting(desk)
    changed = {**BOARDS, "context": {"environment": "dev", "grafana_org_id": "9"}}
    boards.meanwhile = lambda: desk.ask(
        "PUT", "/v1/collectors/boards", {"every_s": EVERY_S, **changed}, headers={"if-match": tag}
    )

    run_collector(message, desk.call(), desk.app)
    assert desk.nodes() == {}
    boards.meanwhile = None
    desk.minute()

    assert desk.nodes() == {"boards": {"grafana/boards/9/dashboard/d1", "grafana/boards/9/folder/f1"}}


def test_a_run_whose_worker_is_gone_is_made_by_the_next(desk):
    desk.put("boards", BOARDS)
    desk.ask("POST", "/v1/collectors/boards:run")
    (message,) = waiting(desk)
    desk.app.stopping.set()  # the program is to end in the middle of it
    with pytest.raises(Exception, match="the program is to end"):
        run_collector(message, desk.call(), desk.app)
    assert desk.nodes() == {}
    desk.app.stopping.clear()

    run_collector(message, desk.call(), desk.app)

    assert desk.nodes() == {"boards": {DASHBOARD, FOLDER}}


def test_a_run_that_is_given_up_is_a_failure_that_is_told_once(desk):
    desk.put("boards", BOARDS)
    desk.ask("POST", "/v1/collectors/boards:run")
    (message,) = waiting(desk)

    for _ in range(2):
        give_run_up(message, "whoever worked on it never came to an end", desk.call(), desk.app)
    run_collector(message, desk.call(), desk.app)

    assert desk.status("boards")["last_error"]["code"] == "collection-given-up"
    assert len(desk.happened("CollectionFailed")) == 1
    assert desk.nodes() == {}


def test_a_row_that_nobody_can_read_keeps_no_other_from_running(desk, module_database):
    desk.put("a-spoiled-one", BOARDS)
    desk.put("boards", BOARDS)
    spoiled = {"tenant": desk.tenant}
    with module_database.as_superuser() as connection:
        connection.run("UPDATE collectors SET progress = '1' WHERE tenant = :tenant AND name LIKE 'a-%'", **spoiled)

    desk.minute()

    state = desk.status("boards")["state"]
    is_due = [each.name for each in desk.app.collector_book.due(desk.clock.now(), 1000) if each.tenant == desk.tenant]
    an_hour_later = desk.app.collector_book.due(desk.clock.now() + timedelta(hours=1), 1000)
    with module_database.as_superuser() as connection:
        connection.run("DELETE FROM collectors WHERE tenant = :tenant AND name LIKE 'a-%'", **spoiled)
    assert state == "ok"
    assert is_due == []
    assert (desk.tenant, "a-spoiled-one") in an_hour_later


def test_a_tenant_with_many_collectors_keeps_no_other_tenant_s_waiting(desk):
    mine, other = desk.tenant, f"{desk.tenant}-beside"
    for number in range(3):
        desk.put(f"boards-{number}", BOARDS)
    desk.clock.move(timedelta(seconds=1))
    desk.put("boards", BOARDS, tenant=other)

    first = desk.app.collector_book.due(desk.clock.now(), 2)
    assert desk.ask("DELETE", "/v1/collectors/boards", headers={"if-match": "*"}, tenant=other).status_code == 204

    assert [each.tenant for each in first] == [mine, other]


def test_what_a_collector_said_goes_with_it(desk):
    tag = desk.put("boards", BOARDS).headers["etag"]
    desk.minute()

    assert desk.ask("DELETE", "/v1/collectors/boards", headers={"if-match": tag}).status_code == 204
    desk.minute()

    assert desk.nodes() == {}
    assert desk.ask("GET", "/v1/collectors/boards").json()["code"] == "collector-not-found"
    assert desk.happened(*OF_COLLECTIONS)[-1] == ("CollectorDeleted", "ada")
