"""The reference to a change that a machine carries, signed: what a machine asks with another one is not answered."""

from dataclasses import dataclass
from typing import Any, Final

from pydantic import Field, ValidationError

from carapulse.broker.envelope import MessageForged, MessageUnreadable
from carapulse.kernel.canonical import canonical, digest
from carapulse.kernel.message import Message
from carapulse.kernel.record import Record
from carapulse.kernel.sealing import Marker
from carapulse.orchestration.messages import AttemptAsked, ConductPlan, MachineAsked
from carapulse.orchestration.model import Asked, Change, StepOf
from carapulse.orchestration.ports import Keys
from carapulse.orchestration.ringing import PURPOSE

_MARK: Final = "change of a machine"
_CLOUD: Final = "aws.states"


class _Signed(Change):
    signature: str = Field(pattern="^[0-9a-f]{64}$")


class _Asking(Record):
    """What a state of the machine sends to a queue."""

    change: _Signed
    asked: Asked
    step: StepOf | None = None
    token: str = Field(min_length=1, max_length=4096)


class _Started(Record):
    """What a machine was started with."""

    change: _Signed


class _Ending(Record, extra="ignore"):
    """What EventBridge says of a machine that has ended, as far as it is read."""

    class Detail(Record, extra="ignore"):
        """Of the event, the input that the machine was started with."""

        input: str = Field(max_length=20_000)

    detail: Detail


@dataclass(frozen=True, slots=True)
class Said:
    """What a machine, or its cloud, has sent: for which change, and a message of ours that says it."""

    id: str
    change: Change
    message: Message


def reference(change: Change, marker: Marker) -> dict[str, Any]:
    """Return a change as a machine gets it."""
    content = change.model_dump(mode="json")
    return {**content, "signature": marker.mark(_text(content), _MARK)}


def is_of_machine(document: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Return whether a document claims to come from a machine or its cloud."""
    return isinstance(document, dict) and ("asked" in document or document.get("source") == _CLOUD)


def said(document: dict[str, Any], keys: Keys) -> Said:
    """Return what a machine says. Raises MessageUnreadable, and MessageForged for a change that we did not sign.

    What the cloud says of a machine that has ended is nobody's word: the machine itself is looked at then.
    """
    try:
        if document.get("source") == _CLOUD:
            return _ended(document, keys)
        asking = _Asking.model_validate(document)
    except ValidationError as error:
        raise MessageUnreadable("this is nothing that a machine of ours says") from error
    change = _believed(asking.change, keys)
    token = keys.seal(asking.token, PURPOSE)
    name = f"asked_{digest(asking.token)[-32:]}"
    if asking.asked is not Asked.ATTEMPT:
        message = MachineAsked(plan_id=change.plan_id, change=change, asked=asking.asked, step=asking.step, token=token)
        return Said(name, change, message)
    if asking.step is None:
        raise MessageUnreadable("the machine names no step that is to be attempted")
    attempt = AttemptAsked(execution_id=asking.step.execution_id, change=change, step=asking.step, token=token)
    return Said(name, change, attempt)


def _ended(document: dict[str, Any], keys: Keys) -> Said:
    started = _Started.model_validate_json(_Ending.model_validate(document).detail.input)
    change = _believed(started.change, keys)
    return Said(f"ended_{change.name}", change, ConductPlan(plan_id=change.plan_id, ended=change.generation))


def _believed(signed: _Signed, marker: Marker) -> Change:
    content = signed.model_dump(mode="json", exclude={"signature"})
    if marker.marked_by(signed.signature, _text(content), _MARK) is None:
        raise MessageForged("the change does not bear this installation's signature", plan_id=signed.plan_id)
    return Change.model_validate(content)


def _text(content: dict[str, Any]) -> str:
    return canonical(content).decode()
