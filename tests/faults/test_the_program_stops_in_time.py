"""SIGTERM ends the program within five seconds, whatever its tools, its listeners and the network do."""

import signal
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest
from tests.world.program import Program

MATCH = {"tenant": "acme", "environment": "dev"}
STUBBORN = """#!/bin/sh
trap '' TERM
echo $$ > {pid}
while :; do sleep 0.1; done
"""


@pytest.fixture
def deaf():
    """Listen, and answer no connection: the queue for them is full."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(0)
    filling = [socket.socket() for _ in range(3)]
    for each in filling:
        each.settimeout(0)
        each.connect_ex(listening.getsockname())
    yield f"127.0.0.1:{listening.getsockname()[1]}"
    for each in [*filling, listening]:
        each.close()


@pytest.fixture
def connections(tmp_path, deaf):
    """Name a kubectl that won't end, and an address that never answers."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "kubectl"
    program.write_text(STUBBORN.format(pid=tmp_path / "pid"))
    program.chmod(0o755)
    settings = {"kubeconfig": str(tmp_path / "kubeconfig"), "context": "here"}
    folder = {"search_path": [str(tmp_path / "bin")]}
    return [
        {"tool": "kubectl", "name": "cluster", "match": MATCH, "settings": settings, **folder},
        {"tool": "http", "name": "deaf", "match": MATCH, "may_reach": [deaf]},
    ]


def looking(tool: str, action: str, value: dict[str, object]) -> dict[str, object]:
    step = {"stage": "diagnose", "tool": tool, "action": action, "input": value}
    return {"summary": "Look", "context": {"environment": "dev", "namespace": "shop"}, "steps": [step]}


def follow(program: Program, path: str) -> threading.Thread:
    """Read what is pushed until the stream is cut."""
    token = program.token("ada")

    def read() -> None:
        headers = {"Authorization": f"Bearer {token}"}
        try:
            with httpx.stream("GET", program.url + path, headers=headers, timeout=30) as answer:
                for _ in answer.iter_bytes():
                    pass
        except httpx.HTTPError:
            return

    thread = threading.Thread(target=read)
    thread.start()
    return thread


def test_a_tool_that_will_not_end_and_clients_that_will_not_go(program, tmp_path):
    execution = program.execute(looking("kubectl", "get_scale", {"resource": "deployment/checkout"}))
    program.wait_for_step(execution, 0, "running")
    readers = [follow(program, path) for path in (f"/v1/executions/{execution}/logs", "/v1/events")]
    pid = pid_in(tmp_path / "pid")

    code, took = program.end(signal.SIGTERM)
    for reader in readers:
        reader.join()

    assert (code, took < 5) == (0, True), took
    assert is_gone(pid)


def test_a_connection_that_nobody_answers(program, deaf):
    execution = program.execute(looking("http", "probe", {"url": f"http://{deaf}/"}))
    program.wait_for_step(execution, 0, "running")

    code, took = program.end(signal.SIGTERM)

    assert (code, took < 5) == (0, True), took


def pid_in(file: Path) -> int:
    until = time.monotonic() + 10
    while not (file.exists() and file.read_text().strip()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return int(file.read_text())


def is_gone(pid: int) -> bool:
    until = time.monotonic() + 3
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
