"""Following an execution, for whoever watches."""

import io
import json
from types import SimpleNamespace

import httpx
import pytest
import typer
from rich.console import Console

from carapulse.surfaces.cli.client import Api
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.watching import end_with, watch

LINE = '{"at": "2026-01-31T10:11:12Z", "step_id": "s1", "phase": "run", "line": "pushed"}'


def a_desk(*, terminal=False, as_json=False):
    """Return a desk whose API shows an execution that runs, and has succeeded when it is looked at again."""
    looks = iter(["running", "succeeded"])

    def handle(request):
        if request.url.path.endswith("/logs"):
            return httpx.Response(200, text=f"id: 1\nevent: log\ndata: {LINE}\n\nevent: end\ndata: {{}}\n\n")
        status = next(looks)
        step = {"id": "s1", "stage": "act", "tool": "git", "action": "push", "status": status}
        return httpx.Response(200, json={"execution_id": "exec_1", "status": status, "steps": [step]})

    desk, shown = Desk(as_json=as_json), io.StringIO()
    desk.api = Api("http://carapulse.test", None, httpx.MockTransport(handle))
    desk.console = Console(file=shown, force_terminal=terminal, width=120, markup=False)
    return SimpleNamespace(desk=desk, shown=shown)


def test_a_person_sees_a_picture_and_the_last_lines_of_the_tools():
    watching = a_desk(terminal=True)

    execution = watch(watching.desk, "exec_1")

    assert execution["status"] == "succeeded"
    assert "pushed" in watching.shown.getvalue()
    assert "✔" in watching.shown.getvalue()


def test_a_file_gets_a_line_for_each_change(capsys):
    watch(a_desk().desk, "exec_1")

    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == ["s1 act git.push: succeeded", "execution: succeeded"]


def test_a_program_gets_each_state_as_json(capsys):
    watch(a_desk(as_json=True).desk, "exec_1")

    states = [json.loads(line)["status"] for line in capsys.readouterr().out.splitlines()]
    assert states == ["running", "succeeded"]


@pytest.mark.parametrize(
    "status", ["failed", "rolled_back", "cancelled", "timed_out", "needs_human", "rollback_failed"]
)
def test_every_other_end_than_success_has_an_exit_code(status):
    with pytest.raises(typer.Exit) as ended:
        end_with({"status": status})

    assert ended.value.exit_code == 6


def test_success_ends_the_command_as_usual():
    end_with({"status": "succeeded"})
