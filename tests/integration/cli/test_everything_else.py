"""All other commands, and every exit code, against a real `carapulse up`."""

import base64
import json
import stat
import time

import pytest
import yaml
from tests.builders.command_line import a_plan, ended

from carapulse.adapters.embedded.postgres import over_socket
from carapulse.surfaces.demo.alerting import Alertmanager, registration, remediation


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
        ("runbook", "list"),
        ("queue", "dead"),
    ],
)
def test_every_list_is_shown_to_people_and_programs(cli, command):
    shown, told = cli("grace", *command), cli("grace", *command, "--json")

    assert (shown.code, told.code) == (0, 0)
    assert shown.out
    assert json.loads(told.out) is not None


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
    rotated = cli("grace", "source", "rotate", "pager", "--older-for", "0")
    forgotten = cli("grace", "source", "delete", "pager")

    assert [each.code for each in (added, shown, listed, rotated, forgotten)] == [0, 0, 0, 0, 0]
    assert "whsec_" in added.out
    assert "whsec_" in rotated.out
    assert "whsec_" not in shown.out + listed.out
    assert cli("grace", "source", "get", "pager").code == 3


def test_a_recipe_is_shown_and_becomes_a_plan(cli, installed):
    path = installed.folder / "input.yaml"
    path.write_text(yaml.safe_dump({**remediation(installed.world), "service": "checkout"}))
    where = ["-e", "prod", "--context", "service=checkout"]

    shown = cli("ada", "workflow", "get", "incident_remediation")
    started = cli("ada", "workflow", "start", "incident_remediation", "-f", str(path), *where)
    lacking = cli("ada", "workflow", "start", "incident_remediation", "-i", "service=checkout", *where)

    assert (shown.code, started.code, lacking.code) == (0, 0, 2)
    assert "diagnose" in shown.out
    assert "git.commit_file" in started.out
    assert "remediation" in lacking.err


def the_alert(cli):
    """Return the one alert that there is, once a worker has sorted what was reported."""
    until = time.monotonic() + 20
    while not (found := json.loads(cli("grace", "alert", "list", "--json").out)["data"]):
        assert time.monotonic() < until, "nobody sorted what was reported"
        time.sleep(0.05)
    (alert,) = found
    return alert


def test_an_alert_is_shown_and_can_be_closed_by_hand(cli, installed):
    path = installed.folder / "silent.yaml"
    path.write_text(yaml.safe_dump({**registration(installed.world), "routes": []}))
    issued = json.loads(cli("grace", "source", "add", "silent", "-f", str(path), "--json").out)
    Alertmanager(installed.url + issued["source"]["path"], issued["secret"]).notify("firing", "checkout is slow")

    alert = the_alert(cli)
    shown = cli("grace", "alert", "get", alert["id"])
    closed = json.loads(cli("grace", "alert", "close", alert["id"], "--json").out)

    assert (shown.code, "unmatched" in shown.out) == (0, True)
    assert closed["status"] == "resolved"


def test_what_was_given_up_is_shown_replayed_and_thrown_away(cli, installed):
    for number in (1, 2):
        plant_dead_letter(installed, f"message_{number}")

    listed = cli("grace", "queue", "dead", "--queue", "timers", "--type", "Unheard")
    shown = cli("grace", "queue", "show", "message_1")
    replayed = cli("grace", "queue", "replay", "message_1", "--note", "try again")
    discarded = cli("grace", "queue", "discard", "message_2", "--note", "nobody knows it")
    silent = cli("grace", "queue", "replay", "message_2")
    gone = cli("grace", "queue", "show", "message_2")

    assert [each.code for each in (listed, shown, replayed, discarded, silent, gone)] == [0, 0, 0, 0, 2, 3]
    assert "message_1" in listed.out
    assert "hunter2" not in listed.out + shown.out
    assert "replayed" in replayed.out
    assert "discarded" in discarded.out


def plant_dead_letter(installed, message_id):
    """Leave a message of nobody's in the installation's own database, as an older program might have."""
    folder = (installed.data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[4]
    connection = over_socket(f"{folder}/.s.PGSQL.5432", "carapulse")
    connection.run(
        "INSERT INTO messages (id, tenant, queue, type, body, actor, trace, available_at, last_error, dead_at)"
        " VALUES (:id, 'demo', 'timers', 'Unheard', '{}', '{\"id\": \"ada\"}', '', now(), 'token=hunter2', now())",
        id=message_id,
    )
    connection.close()


def test_a_checkpoint_is_kept_as_a_witness(cli, installed, tmp_path):
    plan, bundle, key, note = a_plan(cli, installed), *(tmp_path / name for name in ("bundle", "key", "note"))
    cli("otto", "evidence", "export", plan["plan_id"], "--output", str(bundle))
    key.write_text(cli("otto", "evidence", "key").out)
    note.write_text(cli("otto", "evidence", "checkpoint").out)

    assert ended(["evidence", "verify", str(bundle), "--key", str(key), "--witness", str(note)]) == 0


def test_a_runbook_is_put_again_and_again_and_each_version_stays(cli, installed):
    path = installed.folder / "drain.md"
    path.write_text("# Drain\n\n1. stop *billing*\n")
    first = cli("ada", "runbook", "put", "billing", "Drain it", str(path), "--tag", "queue", "--json")
    runbook = json.loads(first.out)
    path.write_text("# Drain\n\n1. call somebody\n")

    again = cli("ada", "runbook", "put", "billing", "Drain it", str(path))
    newest = json.loads(cli("lin", "runbook", "get", runbook["id"], "--json").out)
    older = cli("lin", "runbook", "get", runbook["id"], "--version", "1")
    listed = cli("lin", "runbook", "list", "--service", "billing", "--tag", "queue", "--begins", "Dr")

    assert (first.code, again.code, newest["version"], newest["body"]) == (0, 0, 2, path.read_text())
    assert "1. stop *billing*\n" in older.out
    assert "Drain it" in listed.out
    assert cli("lin", "runbook", "put", "billing", "Drain it", str(path)).code == 1
    assert cli("ada", "runbook", "put", "billing", "Drain it", "no such file").code == 2
    assert cli("ada", "runbook", "get", "runbook_0").code == 3
