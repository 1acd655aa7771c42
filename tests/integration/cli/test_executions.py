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
