"""AWS Step Functions: machines are started, told by their tokens, and looked at."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

from botocore.exceptions import ClientError

from carapulse.adapters.aws.calling import answered_by, client_of
from carapulse.orchestration.errors import MachineDeaf
from carapulse.orchestration.model import MachineStatus

_DEAF: Final = frozenset({"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"})
_LONGEST_CAUSE: Final = 32_768


@dataclass(frozen=True)
class StepFunctions:
    """The machines that one definition describes."""

    client: Any
    machine: str

    @classmethod
    def connect(cls, machine: str) -> Self:
        """Return the machines of a definition, by its ARN; asks nobody yet."""
        return cls(client_of("stepfunctions"), machine)

    def start(self, change: dict[str, Any], name: str) -> None:
        """Start a machine with a reference to its change; one that runs under that name stays as it is."""
        with answered_by("Step Functions"):
            try:
                given = json.dumps({"change": change})
                self.client.start_execution(stateMachineArn=self.machine, name=name, input=given)
            except ClientError as error:
                if _code(error) != "ExecutionAlreadyExists":
                    raise

    def tell(self, token: str, told: dict[str, Any]) -> None:
        """Let a machine go on; MachineDeaf if it does not wait by this token."""
        with _listening():
            self.client.send_task_success(taskToken=token, output=json.dumps(told))

    def refuse(self, token: str, error: str, cause: str) -> None:
        """Tell a machine that it gets no answer, by the name of an error; MachineDeaf if it does not wait any more."""
        with _listening():
            self.client.send_task_failure(taskToken=token, error=error, cause=cause[:_LONGEST_CAUSE])

    def beat(self, token: str) -> None:
        """Tell a machine that somebody is at what it asked for; MachineDeaf if it does not wait any more."""
        with _listening():
            self.client.send_task_heartbeat(taskToken=token)

    def stop(self, name: str, cause: str) -> None:
        """Stop a machine; one that is not there, or has ended, stays as it is."""
        with answered_by("Step Functions"):
            try:
                self.client.stop_execution(executionArn=self._place(name), error="Carapulse.Over", cause=cause)
            except ClientError as error:
                if _code(error) != "ExecutionDoesNotExist":
                    raise

    def status(self, name: str) -> MachineStatus:
        """Return how a machine is."""
        with answered_by("Step Functions"):
            try:
                said = self.client.describe_execution(executionArn=self._place(name))["status"]
            except ClientError as error:
                if _code(error) != "ExecutionDoesNotExist":
                    raise
                return MachineStatus.GONE
        return MachineStatus.RUNNING if said == "PENDING_REDRIVE" else MachineStatus(said)

    def _place(self, name: str) -> str:
        return f"{self.machine.replace(':stateMachine:', ':execution:')}:{name}"


@contextmanager
def _listening() -> Iterator[None]:
    with answered_by("Step Functions"):
        try:
            yield
        except ClientError as error:
            if _code(error) not in _DEAF:
                raise
            raise MachineDeaf("the machine does not wait by this token any more") from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code"))
