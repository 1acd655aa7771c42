"""The versions that are run, kept in memory once their digests are checked: a version never changes."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from carapulse.executions.model import ExecutionState
from carapulse.executions.ports import ExecutionPorts, ExecutionWork
from carapulse.kernel.call import Call
from carapulse.plans.model import PlanVersion

_MOST = 256
Key = tuple[str, str, int, str]


@dataclass
class Versions:
    """The versions that this process has read and found to have their digest."""

    _versions: OrderedDict[Key, PlanVersion] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def version_of(self, state: ExecutionState, call: Call, ports: ExecutionPorts) -> PlanVersion:
        """Return the version that an execution runs; PlanChanged if it is not the one that was approved."""
        key = (call.tenant, state.plan_id, state.plan_version, state.digest)
        with self._lock:
            version = self._versions.get(key)
        if version is not None:
            return version
        work: ExecutionWork
        with ports.begin(call) as work:
            version = work.plans.version(state.plan_id, state.plan_version, digest=state.digest)
        with self._lock:
            self._versions[key] = version
            while len(self._versions) > _MOST:
                self._versions.popitem(last=False)
        return version
