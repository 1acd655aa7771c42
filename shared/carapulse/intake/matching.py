"""Matching labels: equal text, or a regular expression that fits the whole value, as in Alertmanager's own routes."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated

import jsonschema_rs
from pydantic import StringConstraints, field_validator

from carapulse.kernel.record import Record

_LINEAR = jsonschema_rs.RegexOptions()  # time linear in the value: labels come from strangers


class Regex(Record):
    """A regular expression without look-around and back-references; a label that is missing counts as empty."""

    regex: Annotated[str, StringConstraints(min_length=1, max_length=300)]

    @field_validator("regex")
    @classmethod
    def can_be_compiled(cls, pattern: str) -> str:
        """Refuse what is no such expression."""
        try:
            jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=_LINEAR)
        except ValueError as error:
            raise ValueError("not a regular expression of the linear kind") from error
        return pattern

    def fits(self, value: str) -> bool:
        """Say whether the whole value fits."""
        return _compiled(self.regex).is_valid(value)


def matches(wanted: Mapping[str, str | Regex], labels: Mapping[str, str]) -> bool:
    """Say whether the labels fulfil every condition."""
    return all(_fits(condition, labels.get(name, "")) for name, condition in wanted.items())


def _fits(condition: str | Regex, value: str) -> bool:
    return condition.fits(value) if isinstance(condition, Regex) else condition == value


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({"pattern": f"^(?:{pattern})$"}, pattern_options=_LINEAR)
