"""Executions on the command line, against a real `carapulse up`."""

import json
import threading

from tests.builders.command_line import a_plan, never_verified


def test_an_execution_is_followed_to_its_end(cli, installed):
    plan = a_plan(cli, installed, approved=True)

    done = cli("ada", "plan", "execute", plan["plan_id"], "--wait")

    assert done.code == 0
    assert "release act git.commit_file: succeeded" in done.out
    assert done.out.splitlines()[-1] == "execution: succeeded"


def test_an_execution_that_ends_otherwise_has_an_exit_code_of_its_own(cli, installed):
    plan = a_plan(cli, installed, approved=True, steps=never_verified(installed, 1))

    done = cli("ada", "plan", "execute", plan["plan_id"], "--wait", "--json")

    assert done.code == 6
    assert json.loads(done.out.splitlines()[-1])["status"] == "rolled_back"


def test_an_execution_can_be_looked_at_afterwards(cli, installed):
    plan = a_plan(cli, installed, approved=True)
    begun = json.loads(cli("ada", "plan", "execute", plan["plan_id"], "--json").out)

    watched = cli("ada", "execution", "watch", begun["execution_id"])
    got = cli("ada", "execution", "get", begun["execution_id"])
    logs = cli("ada", "execution", "logs", begun["execution_id"])
    cancelled = cli("ada", "execution", "cancel", begun["execution_id"], "--no-undo")

    assert (watched.code, got.code, logs.code) == (0, 0, 0)
    assert "succeeded" in got.out
    assert (cancelled.code, "409" in cancelled.err) == (1, True)


def test_a_running_execution_is_cancelled_and_what_it_did_is_undone(cli, installed):
    plan = a_plan(cli, installed, approved=True, steps=never_verified(installed, 50))
    begun = json.loads(cli("ada", "plan", "execute", plan["plan_id"], "--json").out)

    cancelled = cli("ada", "execution", "cancel", begun["execution_id"], "--note", "enough")
    watched = cli("ada", "execution", "watch", begun["execution_id"])

    assert cancelled.code == 0
    assert (watched.code, watched.out.splitlines()[-1]) == (6, "execution: cancelled")


def test_a_plan_that_waits_for_an_answer_is_tried_out_and_shows_it(cli, installed):
    plan = a_plan(cli, installed)

    tried = cli("ada", "plan", "execute", plan["plan_id"], "--dry-run", "--wait")
    shown = cli("lin", "plan", "get", plan["plan_id"])

    assert (tried.code, tried.out.splitlines()[-1]) == (0, "execution: succeeded")
    assert "dry run exec_" in shown.out
    assert "awaiting_approval" in shown.out
    assert "simulated: git commit_file would change" in shown.out


def test_what_was_done_is_gone_back_on_by_a_plan_of_its_own(cli, installed):
    plan = a_plan(cli, installed, approved=True)
    begun = json.loads(cli("ada", "plan", "execute", plan["plan_id"], "--json").out)
    early = cli("ada", "execution", "undo", begun["execution_id"])
    cli("ada", "execution", "watch", begun["execution_id"])

    undo = cli("ada", "execution", "undo", begun["execution_id"], "--note", "too early", "--json")

    assert (early.code, "409" in early.err) == (1, True)
    assert json.loads(undo.out)["meta"]["undoes"] == begun["execution_id"]


def test_a_run_is_paused_and_goes_on(cli, installed):
    plan = a_plan(cli, installed, approved=True)
    begun = json.loads(cli("ada", "plan", "execute", plan["plan_id"], "--json").out)

    paused = cli("ada", "execution", "pause", begun["execution_id"], "--note", "a moment", "--json")
    resumed = cli("ada", "execution", "resume", begun["execution_id"], "--json")
    watched = cli("ada", "execution", "watch", begun["execution_id"])

    assert [json.loads(each.out)["paused"] for each in (paused, resumed)] == [True, False]
    assert watched.code == 0


def test_a_run_that_waits_for_a_person_says_what_to_do_and_takes_the_answer(cli, installed):
    held = {"steps": never_verified(installed, 1), "constraints": {"on_failure": "hold"}}
    plan = a_plan(cli, installed, approved=True, **held)

    waits = cli("ada", "plan", "execute", plan["plan_id"], "--wait")
    shown = json.loads(cli("ada", "execution", "list", "--plan", plan["plan_id"], "--json").out)["data"][0]
    name, step = shown["execution_id"], plan["steps"][-1]["id"]
    resolved = cli("ada", "execution", "resolve", name, step, "--done", "--note", "I looked")
    retried = cli("ada", "execution", "retry", name, step, "--note", "it may help now", "--json")
    again = cli("ada", "execution", "watch", name)
    cancelled = cli("ada", "execution", "cancel", name)

    assert f"carapulse execution retry {name} {step}" in waits.out
    assert (resolved.code, "step-not-asked" in resolved.err or "409" in resolved.err) == (1, True)
    assert (retried.code, json.loads(retried.out)["status"]) == (0, "running")
    assert (again.out.splitlines()[-1], cancelled.code) == ("execution: needs_human", 0)


def test_a_tool_that_is_slow_to_write_lines_is_followed_until_it_is_done(cli, installed):
    plan = a_plan(cli, installed, approved=True)
    begun = json.loads(cli("ada", "plan", "execute", plan["plan_id"], "--json").out)
    ends = []
    reader = threading.Thread(
        target=lambda: ends.append(cli("ada", "execution", "logs", begun["execution_id"], "--json").code)
    )

    reader.start()
    reader.join(30)

    assert ends == [0]
