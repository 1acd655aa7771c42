"""Numbers and yes or no where there is nothing but text: in addresses and in headers, spelled as JSON spells them."""

import re
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_core import PydanticKnownError

_DIGITS = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)


def _whole(value: object) -> object:
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise PydanticKnownError("int_parsing")
    return value


def _flag(value: object) -> object:
    if isinstance(value, str) and value not in {"true", "false"}:
        raise PydanticKnownError("bool_parsing")
    return value


WHOLE = BeforeValidator(_whole)
"""For a whole number, behind its bounds: `5`, and not ` 5`, `+5`, `5.0` or `5_0`, which pydantic reads, too."""

Flag = Annotated[bool, BeforeValidator(_flag)]
"""A flag: `true` or `false`, and none of `on`, `1`, `y` and the like."""
