"""A Vault: a real OpenBao server in development mode on loopback, and a client that sees what really is."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from tests.builders.clients import a_client

ROOT = "root-token-for-tests"
BAO = Path(sys.executable).parent / "bao"


class Bao:
    """The server, and a client of its own that sees what really is."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = a_client(f"{url}/v1/", headers={"X-Vault-Token": ROOT})

    def data(self, path: str = "checkout/database", **query: Any) -> Any:
        """Return what a secret really holds."""
        return self.http.get(f"secret/data/{path}", params=query).json()["data"]

    def write(self, data: dict[str, str], path: str = "checkout/database") -> None:
        """Write a secret as somebody else would."""
        self.http.post(f"secret/data/{path}", json={"data": data}).raise_for_status()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Configure the server."""
        answer = self.http.post(path, json=body).raise_for_status()
        return answer.json() if answer.content else None


@contextmanager
def a_bao(home: Path) -> Iterator[Bao]:
    """Run it on a free port until the test is done with it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        str(BAO),
        "server",
        "-dev",
        f"-dev-root-token-id={ROOT}",
        f"-dev-listen-address=127.0.0.1:{port}",
        "-dev-no-store-token",
    ]
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen(command, env={"HOME": str(home)}, stdout=log, stderr=log) as server,
    ):
        found = Bao(f"http://127.0.0.1:{port}")
        for _ in range(200):
            try:
                if found.http.get("sys/health").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.05)
        yield found
        found.http.close()
        server.terminate()
