"""A log that doesn't answer keeps neither the refused caller nor anybody else waiting for long."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from carapulse.identity.refusals import RefusalLog


def test_a_log_that_hangs_delays_a_refusal_a_little_and_others_not_at_all(client):
    hangs = threading.Event()

    @contextmanager
    def begin(_call):
        hangs.wait(20)
        yield

    client.application.refusals = RefusalLog(begin, client.application.clock)
    try:
        with ThreadPoolExecutor(1) as pool:
            began = time.monotonic()
            refused = pool.submit(client.ask, "POST", "/v1/plans", "viewer", json={"summary": "x"})
            time.sleep(0.2)
            asked = time.monotonic()
            assert client.ask("GET", "/v1/plans").status_code == 200
            assert time.monotonic() - asked < 1
            answer = refused.result(15)
            took = time.monotonic() - began
    finally:
        hangs.set()

    assert (answer.status_code, answer.json()["code"]) == (403, "role-required")
    assert took < 10
