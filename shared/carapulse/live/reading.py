"""What a client of a WebSocket asks for in its address, checked as everywhere else."""

from collections.abc import Iterable
from typing import Protocol

from pydantic import ValidationError

from carapulse.kernel.errors import Fault
from carapulse.kernel.pointers import pointer_of
from carapulse.live.errors import AddressInvalid
from carapulse.live.model import Ask


class Parameters(Protocol):
    """The query of an address, in which a name may stand more than once."""

    def multi_items(self) -> Iterable[tuple[str, str]]:
        """Return every name and value."""
        ...


def ask_of(query: Parameters) -> Ask:
    """Return what an address asks for, or raise AddressInvalid."""
    given: dict[str, list[str]] = {}
    for name, value in query.multi_items():
        given.setdefault(name, []).append(value)
    wanted = {name: values if name == "types" or len(values) > 1 else values[0] for name, values in given.items()}
    try:
        return Ask.model_validate(wanted)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        faults = tuple(Fault(pointer=pointer_of(each["loc"]), code=each["type"], detail=each["msg"]) for each in found)
        raise AddressInvalid("the address asks for something that can't be followed", faults=faults) from error
