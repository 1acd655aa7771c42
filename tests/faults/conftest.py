"""The real program in front of a repository that keeps every effect as a commit, and a world that can be slow."""

import os
import random
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.world.program import Program
from tests.world.server import World, a_world

_WHOLE = "FAULTS_ALL"
_SEED = int(os.environ.get("FAULTS_SEED", "1"))
_SHARE = 4
_ENDINGS = {
    "test_a_request_is_sent_again.py",
    "test_collectors_in_the_program.py",
    "test_the_program_is_ended.py",
    "test_the_program_stops_in_time.py",
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave a seeded share of the endings of a program; `make faults` tries all, as does whoever names a file of them."""
    endings = [each for each in items if each.path.name in _ENDINGS]
    named = any(each.removesuffix(".py") in str(arg) for each in _ENDINGS for arg in config.args)
    if _WHOLE in os.environ or named or len(endings) <= _SHARE:
        return
    chosen = random.Random(_SEED).sample(sorted(each.nodeid for each in endings), _SHARE)
    others = [each for each in endings if each.nodeid not in chosen]
    items[:] = [each for each in items if each not in others]
    config.hook.pytest_deselected(items=others)


class Repository:
    """A bare repository; each commit beyond the first is one effect."""

    def __init__(self, folder: Path) -> None:
        self.url = str(folder / "deploy.git")
        work = folder / "work"
        self._git("init", "-q", "--bare", "-b", "main", self.url)
        self._git("clone", "-q", self.url, str(work))
        (work / "version").write_text("v1\n")
        who = ("-c", "user.name=test", "-c", "user.email=test@example.org")
        self._git("-C", str(work), "add", ".")
        self._git("-C", str(work), *who, "commit", "-q", "-m", "v1")
        self._git("-C", str(work), "push", "-q", "origin", "HEAD:main")

    @property
    def commits(self) -> list[str]:
        """The subjects, oldest first."""
        return self._git("-C", self.url, "log", "--reverse", "--format=%s", "main").splitlines()

    @property
    def version(self) -> str:
        """What the file says now."""
        return self._git("-C", self.url, "show", "main:version").strip()

    @staticmethod
    def _git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], check=True, capture_output=True, text=True)
        return done.stdout


@pytest.fixture
def world() -> Iterator[World]:
    """Run a world."""
    with a_world() as running:
        yield running


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Make a repository."""
    return Repository(tmp_path)


@pytest.fixture
def connections(world: World, repository: Repository) -> list[dict[str, object]]:
    """Say what the program may reach."""
    match = {"tenant": "acme", "environment": "dev"}
    deploy = {"repositories": {"deploy": {"url": repository.url}}}
    return [
        {"tool": "git", "name": "deploy", "match": match, "settings": deploy},
        {"tool": "http", "name": "world", "match": match, "may_reach": [world.base_url.removeprefix("http://")]},
    ]


@pytest.fixture
def program(data_dir: Path, connections: list[dict[str, object]]) -> Iterator[Program]:
    """Start the program; it is ended whatever the test did to it."""
    running = Program(data_dir / "data", connections)
    running.start()
    yield running
    if running.process.poll() is None:
        running.end(signal.SIGTERM)
