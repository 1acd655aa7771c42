"""JSON merge patch (RFC 7396): what is named is replaced, null removes, the rest stays."""

from typing import Any, TypeVar

from pydantic import ValidationError

from carapulse.kernel.canonical import canonical
from carapulse.kernel.errors import Fault, Invalid
from carapulse.kernel.pointers import pointer_of
from carapulse.kernel.record import Record

R = TypeVar("R", bound=Record)


class PatchInvalid(Invalid):
    """What the patch would make is not allowed."""

    code = "patch-invalid"


class MergePatch(Record, extra="allow"):
    """A JSON merge patch: any JSON object."""


def patched(value: R, patch: MergePatch) -> R:
    """Return the value with the patch applied, checked like one that was just sent, or raise PatchInvalid."""
    try:
        return type(value).model_validate(merged(value.model_dump(mode="json"), patch.model_dump(mode="json")))
    except ValidationError as error:
        faults = tuple(
            Fault(
                pointer=pointer_of(each["loc"]),
                code="unknown-field" if each["type"] == "extra_forbidden" else each["type"].replace("_", "-"),
                detail=each["msg"],
            )
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        )
        raise PatchInvalid("what the patch would make is not allowed", faults=faults) from error


def merged(target: Any, patch: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return the target with the patch applied, as RFC 7396, 2 has it."""
    if not isinstance(patch, dict):
        return patch
    kept = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = merged(kept.get(name), value)
    return kept


def is_same(one: Record, other: Record) -> bool:
    """Say whether two values are spelled alike in JSON, where true is not 1."""
    return canonical(one.model_dump(mode="json")) == canonical(other.model_dump(mode="json"))
