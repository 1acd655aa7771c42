"""Evidence: taken out of the installation, and verified by one file of Python that knows nothing of it."""

import base64
import json
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from carapulse.audit import verifier
from carapulse.surfaces.cli.client import path_of
from carapulse.surfaces.cli.errors import Refused
from carapulse.surfaces.demo.scene import Json, Scene

_LONGEST_S: Final = 20


def prove(scene: Scene, plan_id: str, name: str) -> None:
    """Take the evidence of a plan, verify it offline, and show that a forged copy is found out."""
    otto = scene.carapulse.as_("otto")
    bundle = str(scene.await_("the evidence", lambda: _exported(scene, plan_id))["bundle"])
    path, key = scene.folder / f"{name}.evidence.json", scene.folder / "evidence.vkey"
    path.write_text(bundle, newline="")
    key.write_text(otto.text("/v1/audit/key"))
    scene.evidence.append(path)
    code, lines = _verified(path, key)
    scene.claims.check("the evidence holds, verified offline by one file of Python", code == 0, lines[0])
    forged, place = _forged(path)
    code, lines = _verified(forged, key)
    naming = [line for line in lines if f"at event {place + 1} " in line]
    scene.claims.check(
        "a copy in which somebody else approved is found out, and where",
        code == 1 and bool(naming),
        (naming or lines)[0],
    )


def _exported(scene: Scene, plan_id: str) -> Json | None:
    """Return the evidence, once a checkpoint covers all of it."""
    try:
        return {"bundle": scene.carapulse.as_("otto").text(path_of("plans", plan_id, "evidence"))}
    except Refused as refused:
        if refused.status == HTTPStatus.SERVICE_UNAVAILABLE:
            return None
        raise


def _verified(path: Path, key: Path) -> tuple[int, list[str]]:
    """Run the verifier alone: isolated, without the program's packages, with nothing but two files."""
    command = [sys.executable, "-I", "-S", str(Path(verifier.__file__)), str(path), "--key", str(key)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S, check=False)  # noqa: S603 - our own words
    return ran.returncode, [*(ran.stdout + ran.stderr).splitlines(), ""]


def _forged(path: Path) -> tuple[Path, int]:
    """Write a copy in which another person stands behind the approval; return it, and the place of that event."""
    envelope = json.loads(path.read_bytes())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    events: list[dict[str, Any]] = statement["predicate"]["events"]
    place = next(
        n
        for n, row in enumerate(events)
        if json.loads(row["event"])["type"].startswith("Approval") and '"lin"' in row["event"]
    )
    events[place]["event"] = events[place]["event"].replace('"lin"', '"eve"')
    envelope["payload"] = base64.b64encode(_canonical(statement)).decode()
    forged = path.with_name(f"forged-{path.name}")
    forged.write_bytes(_canonical(envelope))
    return forged, place


def _canonical(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
