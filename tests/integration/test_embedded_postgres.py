"""The embedded Postgres lives in a folder, survives a restart, and dies with its program."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from carapulse.adapters.embedded.postgres import EmbeddedPostgres, over_socket

_PROGRAM = """
import sys, time
from pathlib import Path
from carapulse.adapters.embedded.postgres import EmbeddedPostgres, over_socket
server = EmbeddedPostgres.start(Path(sys.argv[1]))
print(server.process.pid, flush=True)
time.sleep(60)
"""


def run(server: EmbeddedPostgres, statement: str):
    connection = over_socket(server.socket)
    try:
        return connection.run(statement)
    finally:
        connection.close()


def test_what_was_committed_survives_a_restart(data_dir):
    server = EmbeddedPostgres.start(data_dir)
    run(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    server.stop()

    server = EmbeddedPostgres.start(data_dir)
    rows = run(server, "SELECT answer FROM kept")
    server.stop()

    assert rows == [[42]]


def test_a_killed_program_takes_its_server_along_and_the_next_start_works(data_dir):
    program = subprocess.Popen([sys.executable, "-c", _PROGRAM, str(data_dir)], stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    pid = int(program.stdout.readline())
    program.send_signal(signal.SIGKILL)
    program.wait()
    program.stdout.close()

    server = EmbeddedPostgres.start(data_dir)
    rows = run(server, "SELECT 1")
    server.stop()

    assert rows == [[1]]
    assert gone(pid)


def test_nothing_listens_on_a_port_and_strangers_cannot_reach_the_socket(data_dir):
    server = EmbeddedPostgres.start(data_dir)
    listen = run(server, "SHOW listen_addresses")
    mode = server.socket.parent.stat().st_mode & 0o777
    server.stop()

    assert listen == [[""]]
    assert mode == 0o700


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return True
        time.sleep(0.05)
    return False
