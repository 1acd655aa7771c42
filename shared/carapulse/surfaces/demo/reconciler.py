"""The reconciler of the demo: it makes what runs equal to what the repository declares, as Argo CD does.

    python -m carapulse.surfaces.demo.reconciler --repository DIR --path apps/checkout/service.yaml

It prints one line of JSON with its addresses when the declared release runs, and ends when its standard input does.
Its status has the shape of an Argo CD Application.
"""

import argparse
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Final

import yaml

from carapulse.surfaces.demo.shop import Server, end_with_parent

APPLICATION: Final = "/api/v1/applications/checkout"
_PAUSE_S: Final = 0.15
_PATIENCE_S: Final = 10.0
_BRANCH: Final = "main"
# This machine is not behind a proxy, whatever the environment says.
_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Declared:
    """What a commit of the repository declares."""

    revision: str
    version: str


class Reconciler:
    """Follows one file of one branch, and owns the process of the service that it declares."""

    def __init__(self, repository: str, path: str) -> None:
        self._repository = repository
        self._path = path
        self._process: subprocess.Popen[bytes] | None = None
        self._running: Declared | None = None
        self._health = "Missing"
        self.service = _listening()

    def follow(self) -> None:
        """Reconcile for ever."""
        while True:
            time.sleep(_PAUSE_S)
            self.reconcile()

    def reconcile(self) -> None:
        """Make what runs equal to what is declared, if it is not."""
        revision = self._git("rev-parse", f"refs/heads/{_BRANCH}").strip()
        if self._running is not None and self._running.revision == revision:
            self._notice_death()
            return
        document = yaml.safe_load(self._git("show", f"{revision}:{self._path}"))
        declared = Declared(revision, str(document["version"]))
        if self._running is None or self._running.version != declared.version:
            self._health = "Progressing"
            self._replace(declared.version)
        self._running, self._health = declared, "Healthy"

    def application(self) -> dict[str, Any]:
        """Return where things stand, as an Argo CD Application would."""
        head = self._git("rev-parse", f"refs/heads/{_BRANCH}").strip()
        running = self._running
        synced = running is not None and running.revision == head and self._health == "Healthy"
        return {
            "metadata": {"name": "checkout"},
            "spec": {"source": {"repoURL": self._repository, "path": self._path, "targetRevision": _BRANCH}},
            "status": {
                "sync": {"status": "Synced" if synced else "OutOfSync", "revision": running and running.revision},
                "health": {"status": self._health},
                "summary": {"images": [f"checkout:{running.version}"] if running else []},
            },
            "process": self._process and self._process.pid,
        }

    def _git(self, *arguments: str) -> str:
        command = ["git", "--git-dir", self._repository, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=_PATIENCE_S).stdout  # noqa: S603 - our own words

    def _replace(self, version: str) -> None:
        if self._process is not None:
            _end(self._process)
        handle = self.service.fileno()
        command = [sys.executable, "-m", "carapulse.surfaces.demo.shop", "--release", version, "--socket", str(handle)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[handle])  # noqa: S603 - our own words
        _await_answer(self.service.getsockname()[1], version)

    def _notice_death(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            self._health = "Degraded"


def main(arguments: Sequence[str] | None = None) -> None:
    """Reconcile and answer questions about it until ended."""
    parser = argparse.ArgumentParser(prog="reconciler")
    parser.add_argument("--repository", required=True)
    parser.add_argument("--path", required=True)
    given = parser.parse_args(arguments)
    end_with_parent()
    reconciler = Reconciler(given.repository, given.path)
    status = _listening()
    reconciler.reconcile()
    threading.Thread(target=Server(status, _handler(reconciler)).serve_forever, daemon=True).start()
    ready = {"status_port": status.getsockname()[1], "service_port": reconciler.service.getsockname()[1]}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    reconciler.follow()


def _handler(reconciler: Reconciler) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == APPLICATION
            body = reconciler.application() if found else {"error": "there is nothing here"}
            content = json.dumps(body).encode()
            self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:  # noqa: ANN401 - as http.server has it
            pass

    return Handler


def _listening() -> socket.socket:
    opened = socket.create_server(("127.0.0.1", 0), backlog=64)
    opened.set_inheritable(True)
    return opened


def _await_answer(port: int, version: str) -> None:
    """Wait until the release itself answers; its socket accepts connections before that."""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        try:
            with _DIRECT.open(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
                if json.load(answer)["version"] == version:
                    return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.02)
    raise TimeoutError(f"checkout {version} does not answer")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
