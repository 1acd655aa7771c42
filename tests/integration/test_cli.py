"""The command line against a real `carapulse up`: each command, and each exit code."""

import base64
import json
import stat
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import yaml

from carapulse.surfaces.cli.main import main
from carapulse.surfaces.demo.alerting import registration
from carapulse.surfaces.demo.installation import PEOPLE, Installation
from carapulse.surfaces.demo.regression import request
from carapulse.surfaces.demo.world import World


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """Run one world and one installation for all tests of this file."""
    folder = tmp_path_factory.mktemp("cli")
    with World(folder) as world, Installation(folder, world) as carapulse:
        world.begin("1.4.0")
        carapulse.begin()
        carapulse.await_ready()
        yield SimpleNamespace(folder=folder, world=world, url=carapulse.url, data_dir=carapulse.data_dir)


@pytest.fixture
def cli(installed, capsys):
    """Run a command as one of the people, and return its exit code, answer and complaints."""

    def run(person, *arguments):
        token = installed.folder / f"{person}.token"
        if not token.exists():
            roles = [part for role in PEOPLE[person] for part in ("--role", role)]
            mint = ["token", "--data-dir", str(installed.data_dir), "--tenant", "demo", "--subject", person, *roles]
            ended([*mint, "--output", str(token)])
        code = ended([*arguments, "--url", installed.url, "--token-file", str(token)])
        said = capsys.readouterr()
        return SimpleNamespace(code=code, out=said.out, err=said.err)

    return run


def ended(arguments):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    return exit_.value.code


def a_request(installed, **changes):
    """Return a change that helps: the release that runs is declared again."""
    return {**request(installed.world, "1.4.0"), "summary": "As it is", **changes}


def never_verified(installed, attempts):
    """Return the steps of a change whose verification can't hold."""
    *others, last = a_request(installed)["steps"]
    hopeless = {"expect": [{"path": "status", "op": "eq", "value": 418}], "retry": {"attempts": attempts}}
    return [*others, {**last, **hopeless}]


def a_plan(cli, installed, *, approved=False, **changes):
    path = installed.folder / "request.yaml"
    path.write_text(yaml.safe_dump(a_request(installed, **changes)))
    plan = json.loads(cli("ada", "plan", "create", "--file", str(path), "--json").out)
    if approved:
        assert cli("lin", "plan", "approve", plan["plan_id"], "--digest", plan["digest"]).code == 0
    return plan


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


@pytest.mark.parametrize(
    "command",
    [
        ("plan", "list"),
        ("approval", "list"),
        ("execution", "list"),
        ("workflow", "list"),
        ("tool", "list"),
        ("audit", "list"),
        ("alert", "list"),
        ("source", "list"),
    ],
)
def test_every_list_is_shown_to_people_and_programs(cli, command):
    shown, told = cli("grace", *command), cli("grace", *command, "--json")

    assert (shown.code, told.code) == (0, 0)
    assert shown.out
    assert json.loads(told.out) is not None


def test_lists_are_read_page_by_page(cli, installed):
    ids = {a_plan(cli, installed)["plan_id"], a_plan(cli, installed)["plan_id"]}

    first = json.loads(cli("ada", "plan", "list", "--limit", "1", "--json").out)
    second = json.loads(cli("ada", "plan", "list", "--limit", "1", "--cursor", first["next_cursor"], "--json").out)

    assert {first["data"][0]["plan_id"], second["data"][0]["plan_id"]} == ids


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


def test_evidence_is_exported_and_verified_without_the_api(cli, installed, capsys):
    plan, path, key = a_plan(cli, installed), installed.folder / "evidence.json", installed.folder / "evidence.vkey"
    key.write_text(cli("otto", "evidence", "key").out)

    assert cli("otto", "evidence", "export", plan["plan_id"], "-o", str(path)).code == 0
    assert ended(["evidence", "verify", str(path), "--key", str(key)]) == 0
    assert ended(["evidence", "verify", str(path), "--key", key.read_text().strip(), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["ok"] is True

    envelope = json.loads(path.read_text())
    envelope["payload"] = base64.b64encode(base64.b64decode(envelope["payload"]).replace(b"ada", b"eve")).decode()
    path.write_text(json.dumps(envelope, sort_keys=True, separators=(",", ":")))
    assert ended(["evidence", "verify", str(path), "--key", str(key)]) == 1
    assert ended(["evidence", "verify", str(path), "--key", "no key"]) == 2


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


def test_what_does_not_exist_is_said_to_be_not_there(cli):
    assert cli("ada", "plan", "get", "plan_0").code == 3
    assert cli("ada", "execution", "get", "exec/../x").code == 3


def test_who_may_not_is_refused(cli, installed):
    assert cli("lin", "plan", "create", "--summary", "x", "-e", "prod", "--workflow", "gitops_deploy").code == 1
    assert cli("lin", "audit", "list").code == 1


def test_without_a_token_nobody_is_served(installed, capsys):
    assert ended(["plan", "list", "--url", installed.url]) == 4
    assert "401" in capsys.readouterr().err


def test_a_token_file_that_holds_none_is_refused_before_anybody_is_asked(installed, tmp_path, capsys):
    empty = tmp_path / "empty"
    empty.write_text("\n")

    assert ended(["plan", "list", "--url", installed.url, "--token-file", str(empty)]) == 2
    assert "there is no token" in capsys.readouterr().err


def test_nobody_at_the_address_is_said_plainly(capsys):
    assert ended(["plan", "list", "--url", "http://127.0.0.1:1"]) == 5
    assert "nobody answers" in capsys.readouterr().err


def test_a_minted_token_is_for_its_owner_alone(installed, tmp_path):
    path = tmp_path / "token"
    mint = ["token", "--data-dir", str(installed.data_dir), "--tenant", "demo", "--subject", "ada", "--role", "sre"]

    assert ended([*mint, "-o", str(path)]) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ended([*mint, "--role", "king"]) == 2


def test_a_source_is_registered_shown_and_forgotten(cli, installed):
    path = installed.folder / "source.yaml"
    path.write_text(yaml.safe_dump({**registration(installed.world), "routes": []}))

    added = cli("grace", "source", "add", "pager", "-f", str(path))
    shown = cli("grace", "source", "get", "pager")
    listed = cli("grace", "source", "list")
    forgotten = cli("grace", "source", "delete", "pager")

    assert [each.code for each in (added, shown, listed, forgotten)] == [0, 0, 0, 0]
    assert "whsec_" in added.out
    assert "whsec_" not in shown.out + listed.out
    assert cli("grace", "source", "get", "pager").code == 3


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
