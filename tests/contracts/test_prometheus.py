"""Prometheus, for real, where it is installed: every action is asked of a server that watches itself."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.request import urlopen

import pytest
from tests.builders.tools import Runs, a_connection, a_toolbox, an_invocation

from carapulse.tools.model import OutcomeKind

PROMETHEUS = shutil.which("prometheus")
pytestmark = pytest.mark.skipif(
    PROMETHEUS is None, reason="prometheus is not on the path; test_metrics_and_traces.py holds its recorded answers"
)
RULES = {
    "groups": [
        {
            "name": "self",
            "interval": "1s",
            "rules": [{"alert": "AlwaysDown", "expr": "vector(1)"}, {"record": "one", "expr": "vector(1)"}],
        }
    ]
}


def settled(url: str) -> bool:
    """Say whether the server has scraped itself and evaluated its rules."""
    try:
        with urlopen(f"{url}/api/v1/query?query=count(up)%2Bcount(one)", timeout=1) as answer:
            return bool(json.loads(answer.read())["data"]["result"])
    except OSError:
        return False


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    home = tmp_path_factory.mktemp("prometheus")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    (home / "rules.yml").write_text(json.dumps(RULES))
    scrape = {"job_name": "self", "scrape_interval": "1s", "static_configs": [{"targets": [address]}]}
    (home / "prometheus.yml").write_text(
        json.dumps({"scrape_configs": [scrape], "rule_files": [str(home / "rules.yml")]})
    )
    arguments = [
        f"--config.file={home}/prometheus.yml",
        f"--storage.tsdb.path={home}/data",
        f"--web.listen-address={address}",
        "--enable-feature=exemplar-storage",
    ]
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen([str(PROMETHEUS), *arguments], cwd=home, stdout=log, stderr=log) as server,
    ):
        ends_at = time.monotonic() + 30
        while not settled(f"http://{address}") and time.monotonic() < ends_at:
            time.sleep(0.1)
        yield Runs(a_toolbox(a_connection("prometheus", base_url=f"http://{address}")))
        server.terminate()


def test_a_query_has_a_value(run: Runs):
    outcome = run(an_invocation("prometheus.query", {"query": 'up{job="self"} * 2'}))

    assert (outcome.kind, outcome.output["value"], outcome.output["count"]) == (OutcomeKind.SUCCEEDED, 2, 1)


@pytest.mark.parametrize(
    ("query", "value"), [("scalar(vector(3))", 3), ("vector(0)/0", None), ("nothing", None), ("vector(1)/0", None)]
)
def test_what_is_no_number_has_none(run: Runs, query: str, value: int | None):
    assert run(an_invocation("prometheus.query", {"query": query})).output["value"] == value


def test_a_wrong_query_is_a_failure(run: Runs):
    outcome = run(an_invocation("prometheus.query", {"query": "sum("}))

    assert (outcome.kind, outcome.http_status) == (OutcomeKind.FAILED, 400)
    assert "parse error" in outcome.text


def test_a_range_is_read(run: Runs):
    now = datetime.now(UTC)
    value = {
        "query": "vector(1)",
        "start": (now - timedelta(minutes=1)).isoformat(),
        "end": now.isoformat(),
        "step": "10s",
    }

    outcome = run(an_invocation("prometheus.query_range", value))

    assert outcome.kind is OutcomeKind.SUCCEEDED
    assert len(outcome.output["result"][0]["values"]) == 7


def test_rules_and_what_fires_are_listed(run: Runs):
    outcome = run(an_invocation("prometheus.rules", {"type": "alert"}))

    assert outcome.output["firing"] == ["AlwaysDown"]


def test_exemplars_are_asked_for(run: Runs):
    outcome = run(
        an_invocation("prometheus.query_exemplars", {"query": "up", "start": "1700000000", "end": "1700000600"})
    )

    assert (outcome.kind, outcome.output["series"]) == (OutcomeKind.SUCCEEDED, [])
