"""A process that does what it is told: one line of JSON in, one line of JSON out. Both ends of the line."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

_ROOT = Path(__file__).parents[2]
_READY = "ready"


class Child:
    """The parent's end."""

    def __init__(self, module: str, **given: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, json.dumps(given)],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, order: str, **given: Any) -> None:
        """Give an order, and don't wait for it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([order, given]) + "\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        """Wait for the answer to the oldest order that has none."""
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        assert answer, f"the process has ended with {self._process.wait()}"
        return json.loads(answer)

    def end(self) -> None:
        """Let it end, and wait until it has."""
        self._process.communicate(timeout=30)


class Children:
    """Several processes that are told the same, and do it at once."""

    def __init__(self, count: int, module: str, **given: Any) -> None:
        self.each = [Child(module, name=f"child-{number}", **given) for number in range(count)]

    def __enter__(self) -> Self:
        """Wait until everybody is ready."""
        for child in self.each:
            assert child.hear() == _READY
        return self

    def __exit__(self, *_: object) -> None:
        """Let them end."""
        for child in self.each:
            child.end()

    def ask(self, order: str, **given: Any) -> list[Any]:
        """Give everybody the same order and return their answers once all are there."""
        for child in self.each:
            child.tell(order, **given)
        return [child.hear() for child in self.each]


def obey(orders: Mapping[str, Callable[..., Any]]) -> None:
    """Be the child: carry out orders until there are no more."""
    _answer(_READY)
    for told in sys.stdin:
        order, given = json.loads(told)
        _answer(orders[order](**given))


def _answer(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()
