"""What carrying a change by a state machine needs from the world."""

from collections.abc import Sequence
from typing import Any, Protocol

from carapulse.executions.ports import ExecutionPorts, ExecutionWork
from carapulse.kernel.call import Call
from carapulse.kernel.sealing import Marker, Sealer
from carapulse.orchestration.model import Change, Machine, MachineStatus, Wait
from carapulse.plans.ports import PlanPorts, PlanWork


class Keys(Marker, Sealer, Protocol):
    """What signs what machines carry, and seals the tokens by which they are told."""


class Machines(Protocol):
    """State machines of a cloud. Whoever can't be asked is Unavailable."""

    def start(self, change: dict[str, Any], name: str) -> None:
        """Start a machine with a reference to its change; one that runs under that name stays as it is."""
        ...

    def tell(self, token: str, told: dict[str, Any]) -> None:
        """Let a machine go on; MachineDeaf if it does not wait by this token."""
        ...

    def refuse(self, token: str, error: str, cause: str) -> None:
        """Tell a machine that it gets no answer, by the name of an error; MachineDeaf if it does not wait any more."""
        ...

    def beat(self, token: str) -> None:
        """Tell a machine that somebody is at what it asked for; MachineDeaf if it does not wait any more."""
        ...

    def stop(self, name: str, cause: str) -> None:
        """Stop a machine; one that is not there, or has ended, stays as it is."""
        ...

    def status(self, name: str) -> MachineStatus:
        """Return how a machine is."""
        ...


class MachineBook(Protocol):
    """The machines of every tenant that the clock has to look after."""

    def to_look_after(self, how_many: int) -> Sequence[Change]:
        """Return machines that nobody has seen end, and leave each alone for a while."""
        ...


class MachineRows(Protocol):
    """Which machines carry a plan, and where they stand still. Every call is within one tenant and transaction."""

    def latest(self, plan_id: str) -> Machine | None:
        """Return the last machine of a plan, locked, if it had any."""
        ...

    def add(self, machine: Machine, signed_by: str) -> None:
        """Keep a machine that is about to be started, and the id of the key that signs what it carries."""
        ...

    def started(self, plan_id: str, generation: int, signed_by: str) -> None:
        """Note that a machine was started; whose key signed it is not known if another one was to."""
        ...

    def ended(self, plan_id: str, generation: int) -> bool:
        """Note that a machine has ended; it stands still nowhere. False, and nothing, if that was noted before."""
        ...

    def stand(self, wait: Wait) -> None:
        """Keep where a machine stands still, once."""
        ...

    def standing(self, plan_id: str) -> list[Wait]:
        """Return where the machines of a plan stand still."""
        ...

    def moved(self, plan_id: str, generation: int) -> bool:
        """Note that a machine was told something; False for one that has ended, or that another took over from."""
        ...

    def go_on(self, wait_ids: Sequence[str]) -> None:
        """Forget where machines stood that were told to go on."""
        ...


class OrchestrationWork(ExecutionWork, PlanWork, Protocol):
    """A unit of work that can reach machines, and what they carry."""

    @property
    def machines(self) -> MachineRows:
        """The machines within this unit."""
        ...


class OrchestrationPorts(ExecutionPorts, PlanPorts, Protocol):
    """Everything the orchestration area asks of the application."""

    @property
    def machines(self) -> Machines:
        """The state machines of the cloud."""
        ...

    @property
    def machine_book(self) -> MachineBook:
        """What the clock looks after."""
        ...

    @property
    def sealer(self) -> Keys:
        """What signs and seals."""
        ...

    def begin(self, call: Call) -> OrchestrationWork:
        """Open a unit of work for the caller's tenant."""
        ...
