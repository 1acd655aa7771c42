"""What a run stands on: the version that it runs, kept in memory once its digest is checked, and its approval."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from carapulse.executions.errors import StepRefused
from carapulse.executions.model import ExecutionState
from carapulse.executions.ports import ExecutionPorts
from carapulse.executions.rechecking import Standpoint
from carapulse.kernel.call import Call
from carapulse.plans.model import PlanVersion

_MOST = 256
Key = tuple[str, str, int, str]


@dataclass
class Standpoints:
    """Versions never change, so those that were read and found to have their digest are kept."""

    _versions: OrderedDict[Key, PlanVersion] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, state: ExecutionState, call: Call, ports: ExecutionPorts) -> Standpoint:
        """Return what an execution stands on now; StepRefused if its version is not the one that was approved."""
        key = (call.tenant, state.plan_id, state.plan_version, state.digest)
        with self._lock:
            version = self._versions.get(key)
        if version is not None and (state.approval_id is None or state.over):
            return Standpoint(state, version, None)
        with ports.begin(call) as work:
            if version is None:
                version = self._kept(key, work.plans.version(state.plan_id, state.plan_version))
            approval = None if state.approval_id is None else work.approvals.get(state.approval_id)
        return Standpoint(state, version, approval)

    def _kept(self, key: Key, version: PlanVersion) -> PlanVersion:
        if version.digest != key[-1]:
            raise StepRefused("the plan is not the one that was approved", plan_id=version.plan_id)
        with self._lock:
            self._versions[key] = version
            while len(self._versions) > _MOST:
                self._versions.popitem(last=False)
        return version
