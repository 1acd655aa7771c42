"""One world and one `carapulse up` for all tests of the command line."""

import json
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from tests.builders.command_line import ended

from carapulse.surfaces.cli.exits import ExitCode
from carapulse.surfaces.demo.installation import PEOPLE, Installation
from carapulse.surfaces.demo.world import World


@pytest.fixture(scope="package")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """Run one world and one installation for all tests of this folder."""
    folder = tmp_path_factory.mktemp("cli")
    with World(folder) as world, Installation(folder, world) as carapulse:
        world.begin("1.4.0")
        carapulse.begin()
        carapulse.await_ready()
        yield SimpleNamespace(folder=folder, world=world, url=carapulse.url, data_dir=carapulse.data_dir)


@pytest.fixture
def cli(installed, capsys):
    """Run a command as one of the people, and return its exit code, answer and complaints."""

    def run(person, *arguments):
        token = installed.folder / f"{person}.token"
        if not token.exists():
            roles = [part for role in PEOPLE[person] for part in ("--role", role)]
            mint = ["token", "--data-dir", str(installed.data_dir), "--tenant", "demo", "--subject", person, *roles]
            ended([*mint, "--output", str(token)])
        code = ended([*arguments, "--url", installed.url, "--token-file", str(token)])
        said = capsys.readouterr()
        assert code != ExitCode.UNAVAILABLE, _troubles(installed.folder / "carapulse.log")
        return SimpleNamespace(code=code, out=said.out, err=said.err)

    return run


def _troubles(log):
    """Return what went wrong for the program lately, the last first and in few words: its log is gone with the test."""
    told = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    bad = [line for line in told if line["level"] in {"warning", "error", "critical"}]
    return "; ".join(_in_short(line) for line in reversed(bad[-5:])) or "the program told of no trouble"


def _in_short(line):
    error = line.get("error", {})
    frames = [part.strip() for part in error.get("stack", "").splitlines() if part.strip().startswith("File")]
    told = [line["event"], line.get("detail"), line.get("cause"), error.get("type"), error.get("message"), *frames[-3:]]
    return " ".join(str(each) for each in told if each)
