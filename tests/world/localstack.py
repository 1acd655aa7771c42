"""LocalStack in host mode: a process of its own, from an environment of its own that `make e2e-localstack` makes."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import localstack_client.session
from tests.world.aws import NOBODY, set_in_environment
from tests.world.machines import MachineWorld, deployed
from tests.world.sqs import SqsWorld, queue_of

from carapulse.kernel.message import ORCHESTRATION, QUEUES

PROGRAM = Path(__file__).parents[2] / "build" / "localstack" / "bin" / "python"
MENDED = Path(__file__).with_name("localstack_mended.py")


@contextmanager
def a_localstack() -> Iterator[str]:
    """Serve it on a free port of loopback until the test is done, and let the environment say where."""
    assert PROGRAM.exists(), "make e2e-localstack installs LocalStack"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="carapulse-localstack-") as folder:
        given = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "TMPDIR": folder,
            "GATEWAY_LISTEN": f"127.0.0.1:{port}",
            "LOCALSTACK_VOLUME_DIR": folder,
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "DISABLE_EVENTS": "1",
            "SERVICES": "sqs,stepfunctions,sts",
        }
        command = [str(PROGRAM), "-P", str(MENDED)]  # -P: beside it lies a module of the same name
        log = Path(folder) / "localstack.log"
        with (
            log.open("wb") as written,
            subprocess.Popen(command, env=given, stdout=written, stderr=written, start_new_session=True) as program,
        ):
            try:
                _ready(f"http://127.0.0.1:{port}", log)
                with set_in_environment(f"http://127.0.0.1:{port}"):
                    yield f"http://127.0.0.1:{port}"
            finally:
                os.killpg(program.pid, signal.SIGKILL)  # there is nothing to keep


@contextmanager
def queues_of(installation: str) -> Iterator[SqsWorld]:
    """Make the queues of one installation."""
    client = localstack_client.session.Session(region_name=NOBODY["AWS_DEFAULT_REGION"]).client("sqs")
    addresses = {queue: queue_of(client, f"{installation}-{queue}") for queue in QUEUES}
    yield SqsWorld(client, addresses, None, dict(os.environ))


@contextmanager
def a_machine_of(installation: str) -> Iterator[MachineWorld]:
    """Make the queues and the machine of one installation."""
    with queues_of(installation) as queues:
        queues.addresses[ORCHESTRATION] = queue_of(queues.client, f"{installation}-{ORCHESTRATION}")
        yield deployed(queues, installation)


def _ready(address: str, log: Path) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{address}/_localstack/health"):
                return
        except (URLError, ConnectionError):
            time.sleep(0.1)
    sys.stderr.write(log.read_text())
    raise AssertionError("LocalStack did not answer")
