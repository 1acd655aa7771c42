"""One compiled set of Rego modules. It closes two gaps of regopy 1.5.2 that would fail open.

* It cuts text at a NUL, keeps only 64 bits of an integer, and prints text into its JSON answer without escaping it;
  so text goes in already escaped, and comes out right; an integer that would be cut is refused.
* An unknown or missing function is *undefined* when it is called; so every call in the compiled plan is on a closed
  list or defined by the modules themselves, or nothing is compiled.
"""

import json
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from regopy import Interpreter
from regopy.rego_shared import LogLevel, RegoError

from carapulse.adapters.rego.calls import forbidden_calls
from carapulse.kernel.errors import Invalid, Unavailable
from carapulse.policy.errors import UnsoundPolicy

_INT64 = range(-(2**63), 2**63)


class CompiledRules:
    """Modules and data, compiled for a few entry points. Threads take turns: rego-cpp is asked by one at a time."""

    def __init__(self, modules: Mapping[str, str], data: Mapping[str, Any], entry_points: Iterable[str]) -> None:
        self._turn = threading.Lock()
        self._interpreter = Interpreter()
        self._interpreter.log_level = LogLevel.NONE
        try:
            for name, source in modules.items():
                self._interpreter.add_module(name, source)
            self._interpreter.add_data(data)
            self._bundle = self._interpreter.build(None, sorted(entry_points))
        except (RegoError, ValueError) as error:
            raise UnsoundPolicy(f"the rules do not compile: {error}") from error
        if not self._bundle.ok():
            raise UnsoundPolicy("the rules do not compile")
        if calls := forbidden_calls(self._bundle):
            raise UnsoundPolicy(f"the rules call what is not on the list: {', '.join(calls)}", calls=calls)

    def ask(self, entry_point: str, document: Mapping[str, Any]) -> object:
        """Return the value of an entry point such as `carapulse/decision`, or None where it is undefined."""
        escaped = _escaped(document)
        with self._turn:
            try:
                self._interpreter.set_input(escaped)
                output = self._interpreter.query_bundle_entrypoint(self._bundle, entry_point)
            except (RegoError, ValueError) as error:
                raise Unavailable("the rules could not be evaluated") from error
        if not output.ok():
            raise Unavailable("the rules end in an error instead of an answer")
        return output.results[0].expressions[0] if output.results[0].expressions else None


def _escaped(value: object) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)[1:-1]
    if isinstance(value, Mapping):
        return {_escaped(key): _escaped(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(item) for item in value]
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and value in _INT64):
        return value
    raise Invalid("the rules can't be asked about such a value")
