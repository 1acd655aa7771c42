"""Telling a machine something, and having those go on that stand still for no reason any more."""

from carapulse.kernel.call import Call
from carapulse.kernel.errors import Unavailable
from carapulse.kernel.record import Record
from carapulse.observe import get_logger
from carapulse.orchestration.errors import MachineDeaf
from carapulse.orchestration.ports import OrchestrationPorts
from carapulse.orchestration.standing import standing_of

log = get_logger(__name__)
PURPOSE = "token of a machine"


def tell(token: str, told: Record | None, ports: OrchestrationPorts) -> None:
    """Tell a machine, by its sealed token. One that does not listen any more has asked again, or is over."""
    said = {} if told is None else told.model_dump(mode="json")
    try:
        ports.machines.tell(ports.sealer.open(token, PURPOSE), said)
    except MachineDeaf:
        log.info("machine_deaf")


def ring(plan_id: str, call: Call, ports: OrchestrationPorts) -> int:
    """Have a plan's machine go on wherever it stands still for no reason any more; return at how many places.

    Told first and forgotten then: a second telling harms nobody, one that is lost would.
    """
    with ports.begin(call) as work:
        waits = work.machines.standing(plan_id)
        if not waits:
            return 0
        standing = standing_of(plan_id, work, ports.settings.visibility_s)
    done, problem = [], None
    for wait in waits:
        if wait.until <= standing.at or standing.lets_go_on(wait):
            try:
                tell(wait.token, None, ports)
                done.append(wait.id)
            except Unavailable as error:  # raised once all the others were told, so that this one is told again
                problem = error
    if done:
        with ports.begin(call) as work:
            work.machines.go_on(done)
    if problem is not None:
        raise problem
    return len(done)


def refuse(token: str, family: str, why: str, ports: OrchestrationPorts) -> None:
    """Tell a machine, by its sealed token, that it gets no answer, and the family of the error."""
    try:
        ports.machines.refuse(ports.sealer.open(token, PURPOSE), f"Carapulse.{family}", why)
    except MachineDeaf:
        log.info("machine_deaf")
