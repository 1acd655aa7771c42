"""Plans on the command line, against a real `carapulse up`."""

import json

import pytest
import yaml
from tests.builders.command_line import a_plan, a_request


def test_a_plan_is_asked_for_by_options_too(cli, installed):
    steps = installed.folder / "steps.json"
    steps.write_text(json.dumps(a_request(installed)["steps"]))
    where = ["-e", "prod", "--context", "service=checkout"]

    made = cli("ada", "plan", "create", "--summary", "As it is", "--steps", str(steps), *where)

    assert made.code == 0
    for needed in ("As it is", "awaiting_approval", "low risk in prod", "git.commit_file", "1 person must agree"):
        assert needed in made.out


def test_json_is_exactly_what_the_api_answered(cli, installed):
    plan = a_plan(cli, installed)

    got = json.loads(cli("ada", "plan", "get", plan["plan_id"], "--json").out)

    assert got == plan


@pytest.mark.parametrize("command", ["get", "diff", "risk", "timeline"])
def test_a_plan_can_be_looked_at_from_every_side(cli, installed, command):
    plan = a_plan(cli, installed)

    looked = cli("ada", "plan", command, plan["plan_id"])

    assert (looked.code, looked.err) == (0, "")
    assert "release" in looked.out or "PlanDrafted" in looked.out


def test_lists_are_read_page_by_page(cli, installed):
    ids = {a_plan(cli, installed)["plan_id"], a_plan(cli, installed)["plan_id"]}

    first = json.loads(cli("ada", "plan", "list", "--limit", "1", "--json").out)
    second = json.loads(cli("ada", "plan", "list", "--limit", "1", "--cursor", first["next_cursor"], "--json").out)

    assert {first["data"][0]["plan_id"], second["data"][0]["plan_id"]} == ids


def test_a_requester_cannot_answer_and_one_no_is_enough(cli, installed):
    plan = a_plan(cli, installed)

    own = cli("ada", "plan", "approve", plan["plan_id"], "--digest", plan["digest"])
    no = cli("lin", "plan", "deny", plan["plan_id"], "--yes", "--note", "not now")
    then = cli("ada", "plan", "execute", plan["plan_id"])

    assert (own.code, "403 self-approval" in own.err) == (1, True)
    assert (no.code, "denied" in no.out) == (0, True)
    assert then.code == 1


def test_a_plan_that_nobody_looked_at_is_not_approved_by_a_script(cli, installed):
    plan = a_plan(cli, installed)

    blind = cli("lin", "plan", "approve", plan["plan_id"], "--json")

    assert (blind.code, "--digest" in blind.err) == (2, True)


def test_another_plan_than_the_one_that_was_looked_at_is_not_approved(cli, installed):
    plan = a_plan(cli, installed)

    other = cli("lin", "plan", "approve", plan["plan_id"], "--digest", "sha256:" + "0" * 64, "--json")

    assert (other.code, json.loads(other.out)["status"]) == (1, 409)


def test_a_wrong_request_says_where_it_is_wrong(cli, installed):
    path = installed.folder / "wrong.yaml"
    steps = [{**a_request(installed)["steps"][0], "tool": "got"}]
    path.write_text(yaml.safe_dump(a_request(installed, steps=steps)))

    made = cli("ada", "plan", "create", "--file", str(path))

    assert made.code == 2
    assert "/steps/0/tool" in made.err


def test_a_further_version_of_a_plan_is_answered_anew(cli, installed):
    plan = a_plan(cli, installed, approved=True)
    path = installed.folder / "revised.yaml"
    path.write_text(yaml.safe_dump(a_request(installed, summary="As it was")))

    revised = json.loads(cli("ada", "plan", "revise", plan["plan_id"], "--file", str(path), "--json").out)
    differs = cli("ada", "plan", "diff", plan["plan_id"], "--against", "1")
    former = cli("lin", "plan", "approve", plan["plan_id"], "--digest", plan["digest"])

    assert (revised["version"], revised["status"], revised["summary"]) == (2, "awaiting_approval", "As it was")
    assert "differs from version 1" in differs.out
    assert former.code == 1


def test_an_approval_can_be_withdrawn_and_a_plan_closed(cli, installed):
    plan = a_plan(cli, installed, approved=True)

    revoked = cli("lin", "plan", "revoke", plan["plan_id"])
    then = cli("ada", "plan", "execute", plan["plan_id"])
    closed = cli("ada", "plan", "close", plan["plan_id"], "--reason", "not wanted any more", "--json")

    assert (revoked.code, "revoked" in revoked.out) == (0, True)
    assert then.code == 1
    assert (closed.code, json.loads(closed.out)["status"]) == (0, "closed")
