"""helm: the exact commands, for no helm can be had in this repository's packages; where one is on the path, it is asked whether it knows them."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.builders.tools import BUILTIN, Runs, a_connection, a_toolbox, an_invocation

from carapulse.adapters.secrets.local import LocalSecrets
from carapulse.adapters.web.client import HttpxWeb
from carapulse.kernel.errors import Unavailable
from carapulse.tools.connections import Connections
from carapulse.tools.errors import ConnectionForbids, InputRefused
from carapulse.tools.model import Invocation, Mode, OutcomeKind
from carapulse.tools.ports import Command, Ended, EndedBy
from carapulse.tools.toolbox import Toolbox

SETTINGS = {
    "kubeconfig": "/etc/carapulse/kubeconfig",
    "context": "eu",
    "charts": {"checkout": "oci://registry.example/charts/checkout"},
}
ALWAYS = ("--kubeconfig=/etc/carapulse/kubeconfig", "--kube-context=eu")
PLACE = {"namespace": "shop", "cluster_id": "eu-1"}


@dataclass
class RecordedPrograms:
    """Answers as helm 3 did, and keeps what it was asked to run."""

    stdout: str = "{}"
    stderr: str = ""
    exit_code: int = 0
    commands: list[Command] = field(default_factory=list)

    def run(
        self,
        command: Command,
        *,
        on_line: Callable[[str], None],  # noqa: ARG002 - the port's shape
        cancelled: threading.Event,  # noqa: ARG002 - the port's shape
        deadline_s: float,  # noqa: ARG002 - the port's shape
    ) -> Ended:
        self.commands.append(command)
        return Ended(by=EndedBy.ITSELF, exit_code=self.exit_code, stdout=self.stdout, stderr=self.stderr)


def asked(name: str, value: dict[str, Any], programs: RecordedPrograms, **fields: Any) -> tuple[Runs, Invocation]:
    """Return what runs helm as recorded, and the invocation."""
    connections = Connections((a_connection("helm", settings=SETTINGS),))
    box = Toolbox(BUILTIN, connections, programs, HttpxWeb(), LocalSecrets({}))
    return Runs(box), an_invocation(name, value, context=PLACE, **fields)


RELEASED = json.dumps(
    {
        "name": "checkout",
        "namespace": "shop",
        "version": 4,
        "info": {"status": "deployed", "description": "Upgrade complete", "last_deployed": "2026-01-01T00:00:00Z"},
        "config": {"password": "x"},
        "manifest": "kind: Secret",
    }
)
UPGRADE = {
    "release": "checkout",
    "chart": "checkout",
    "version": "1.4.2",
    "values": {"image": {"tag": "1.4.2"}, "text": "'quoted' -- $(x)\n"},
}

GOLDEN = [
    (
        "helm.status",
        {"release": "checkout"},
        Mode.RUN,
        ("status", "--namespace=shop", "--output=json", "--", "checkout"),
    ),
    (
        "helm.status",
        {"release": "checkout", "revision": 3},
        Mode.RUN,
        ("status", "--namespace=shop", "--revision=3", "--output=json", "--", "checkout"),
    ),
    (
        "helm.revision",
        {"release": "checkout"},
        Mode.RUN,
        ("list", "--namespace=shop", "--filter=^checkout$", "--deployed", "--failed", "--pending", "--output=json"),
    ),
    ("helm.list", {}, Mode.RUN, ("list", "--namespace=shop", "--deployed", "--failed", "--pending", "--output=json")),
    (
        "helm.releases",
        {},
        Mode.RUN,
        ("list", "--namespace=shop", "--deployed", "--failed", "--pending", "--max=1000", "--output=json"),
    ),
    (
        "helm.get",
        {"release": "checkout"},
        Mode.RUN,
        ("get", "metadata", "--namespace=shop", "--output=json", "--", "checkout"),
    ),
    (
        "helm.upgrade",
        UPGRADE,
        Mode.RUN,
        (
            "upgrade",
            "--install",
            "--namespace=shop",
            "--version=1.4.2",
            "--values=values.json",
            "--wait",
            "--timeout=300s",
            "--output=json",
            "--",
            "checkout",
            "oci://registry.example/charts/checkout",
        ),
    ),
    (
        "helm.upgrade",
        {**UPGRADE, "reuse_values": True, "force": True, "timeout_seconds": 60},
        Mode.RUN,
        (
            "upgrade",
            "--install",
            "--namespace=shop",
            "--version=1.4.2",
            "--values=values.json",
            "--reuse-values",
            "--force",
            "--wait",
            "--timeout=60s",
            "--output=json",
            "--",
            "checkout",
            "oci://registry.example/charts/checkout",
        ),
    ),
    (
        "helm.upgrade",
        UPGRADE,
        Mode.DRY_RUN,
        (
            "upgrade",
            "--install",
            "--namespace=shop",
            "--version=1.4.2",
            "--values=values.json",
            "--dry-run=server",
            "--output=json",
            "--",
            "checkout",
            "oci://registry.example/charts/checkout",
        ),
    ),
    (
        "helm.rollback",
        {"release": "checkout", "revision": 3},
        Mode.RUN,
        ("rollback", "--namespace=shop", "--wait", "--timeout=300s", "--", "checkout", "3"),
    ),
    (
        "helm.rollback",
        {"release": "checkout", "revision": 3},
        Mode.DRY_RUN,
        ("rollback", "--namespace=shop", "--dry-run", "--", "checkout", "3"),
    ),
    (
        "helm.uninstall",
        {"release": "checkout"},
        Mode.RUN,
        ("uninstall", "--namespace=shop", "--keep-history", "--wait", "--timeout=300s", "--", "checkout"),
    ),
]


@pytest.mark.parametrize(("name", "value", "mode", "arguments"), GOLDEN)
def test_an_action_runs_exactly_this_command(name: str, value: dict[str, Any], mode: Mode, arguments: tuple[str, ...]):
    programs = RecordedPrograms(stdout=RELEASED)
    run, invocation = asked(name, value, programs, mode=mode)

    run(invocation)

    assert programs.commands[0].program == "helm"
    assert programs.commands[0].arguments == (*ALWAYS, *arguments)


def test_the_releases_of_all_namespaces_are_asked_for_where_none_is_named():
    programs = RecordedPrograms(stdout="[]")
    run, invocation = asked("helm.releases", {}, programs)

    outcome = run(invocation.model_copy(update={"context": invocation.context.model_copy(update={"namespace": None})}))

    assert programs.commands[0].arguments[len(ALWAYS) :][:2] == ("list", "--all-namespaces")
    assert outcome.output == {"releases": [], "count": 0}


def test_values_are_a_file_of_their_own():
    programs = RecordedPrograms(stdout=RELEASED)
    run, invocation = asked("helm.upgrade", UPGRADE, programs)

    run(invocation)

    assert json.loads(programs.commands[0].files["values.json"]) == UPGRADE["values"]


def test_the_answer_of_an_upgrade_leaves_out_values_and_manifests():
    run, invocation = asked("helm.upgrade", UPGRADE, RecordedPrograms(stdout=RELEASED))

    outcome = run(invocation)

    assert outcome.output == {
        "name": "checkout",
        "namespace": "shop",
        "revision": 4,
        "status": "deployed",
        "description": "Upgrade complete",
    }


@pytest.mark.parametrize(
    ("listed", "action", "value"),
    [
        (
            '[{"name":"checkout","revision":"3","status":"deployed","chart":"checkout-1.4.1"}]',
            "rollback",
            {"release": "checkout", "revision": 3},
        ),
        ("[]", "uninstall", {"release": "checkout"}),
    ],
)
def test_an_upgrade_is_undone_by_what_was_there(listed: str, action: str, value: dict[str, Any]):
    run, invocation = asked("helm.upgrade", UPGRADE, RecordedPrograms(stdout=listed))
    captured = run.captured(invocation)

    undo = BUILTIN.undo(captured, {"revision": 4})

    assert undo is not None
    assert (undo.action, undo.input) == (action, value)


@pytest.mark.parametrize(
    ("listed", "kind"),
    [
        ('[{"revision":"4","status":"deployed"}]', OutcomeKind.SUCCEEDED),
        ('[{"revision":"3","status":"deployed"}]', OutcomeKind.FAILED),
        ('[{"revision":"4","status":"failed"}]', OutcomeKind.FAILED),
        ("not json", OutcomeKind.UNKNOWN),
    ],
)
def test_the_probe_of_an_upgrade_looks_for_a_newer_revision(listed: str, kind: OutcomeKind):
    run, invocation = asked(
        "helm.upgrade", UPGRADE, RecordedPrograms(stdout=listed), mode=Mode.PROBE, captured={"revision": 3}
    )

    assert run(invocation).kind is kind


def test_a_cluster_that_is_away_is_unavailable():
    run, invocation = asked(
        "helm.upgrade", UPGRADE, RecordedPrograms(exit_code=1, stderr="Error: Kubernetes cluster unreachable: Get x")
    )

    with pytest.raises(Unavailable):
        run(invocation)


@pytest.mark.parametrize(
    ("stderr", "kind"),
    [
        ("Error: UPGRADE FAILED: timed out waiting for the condition", OutcomeKind.FAILED),
        ("Error: read tcp 10.0.0.1:443: connection reset by peer", OutcomeKind.UNKNOWN),
    ],
)
def test_an_upgrade_that_failed_is_told_apart_from_one_nobody_saw_the_end_of(stderr: str, kind: OutcomeKind):
    run, invocation = asked("helm.upgrade", UPGRADE, RecordedPrograms(exit_code=1, stderr=stderr))

    assert run(invocation).kind is kind


def test_a_chart_that_is_not_declared_is_refused():
    run, invocation = asked("helm.upgrade", {**UPGRADE, "chart": "other"}, RecordedPrograms())

    with pytest.raises(ConnectionForbids):
        run(invocation)


@pytest.mark.parametrize("missing", ["chart", "version"])
def test_an_upgrade_without_chart_or_version_is_refused(missing: str):
    value = {name: each for name, each in UPGRADE.items() if name != missing}
    run, invocation = asked("helm.upgrade", value, RecordedPrograms())

    with pytest.raises(InputRefused) as refused:
        run(invocation)

    assert refused.value.faults[0].pointer == f"/input/{missing}"


def test_without_helm_nothing_is_pretended():
    if shutil.which("helm"):
        pytest.skip("there is a helm here")
    connection = a_connection("helm", settings=SETTINGS)

    with pytest.raises(Unavailable, match="not installed"):
        Runs(a_toolbox(connection))(an_invocation("helm.list", {}, context=PLACE))


@pytest.mark.skipif(shutil.which("helm") is None, reason="there is no helm on the path")
@pytest.mark.parametrize("arguments", [each[3] for each in GOLDEN], ids=lambda arguments: " ".join(arguments[:2]))
def test_a_real_helm_knows_every_flag(arguments: tuple[str, ...]):
    flags = [each.split("=")[0] for each in arguments if each.startswith("--") and each != "--"]
    words = [each for each in arguments if not each.startswith("-")]
    command = words[:2] if words[0] == "get" else words[:1]

    told = subprocess.run(
        ["helm", *command, "--help"], env=dict(os.environ), capture_output=True, text=True, check=True
    ).stdout

    assert [flag for flag in flags if flag not in told] == []
