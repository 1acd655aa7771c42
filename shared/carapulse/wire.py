"""Reading JSON that a stranger sent: strictly I-JSON (RFC 7493), so that everybody who reads it sees the same."""

import json
import math
from http import HTTPStatus
from typing import Any, NoReturn

from carapulse.kernel.errors import Invalid

_DEEPEST = 64
_LARGEST_INTEGER = 2**53 - 1
_SURROGATES = range(0xD800, 0xE000)


class MalformedJson(Invalid):
    """The body is not JSON, or is JSON that two readers could understand differently."""

    code = "malformed-json"
    status = HTTPStatus.BAD_REQUEST


def read_json(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Return the JSON value, or raise MalformedJson.

    Refused beside plain syntax errors: duplicate keys, NaN and infinities, integers that a double can't hold, NUL and
    lone surrogates in strings, anything but UTF-8, and nesting deeper than 64 levels.
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_float,
            parse_int=_integer,
        )
    except UnicodeDecodeError as error:
        raise MalformedJson("the body is not UTF-8", position=error.start) from error
    except json.JSONDecodeError as error:
        raise MalformedJson(f"the body is not JSON: {error.msg}", line=error.lineno, column=error.colno) from error
    except RecursionError as error:
        raise MalformedJson("the body is nested too deeply", deepest=_DEEPEST) from error
    _check(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedJson("an object has the same key twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedJson(f"{name} is not JSON")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise MalformedJson("a number is too large")
    return number


def _integer(text: str) -> int:
    # Long digits are refused before conversion, which costs quadratic time.
    if len(text) > len(f"-{_LARGEST_INTEGER}") or abs(number := int(text)) > _LARGEST_INTEGER:
        raise MalformedJson("an integer is too large")
    return number


def _check(value: Any) -> None:  # noqa: ANN401 - any JSON value
    level = [value]
    for _ in range(_DEEPEST):
        deeper: list[Any] = []
        for each in level:
            _unfold(each, deeper)
        if not deeper:
            return
        level = deeper
    raise MalformedJson("the body is nested too deeply", deepest=_DEEPEST)


def _unfold(value: Any, into: list[Any]) -> None:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, list):
        into.extend(value)
    elif isinstance(value, dict):
        into.extend(value.values())
        for key in value:
            _check_text(key)


def _check_text(text: str) -> None:
    if text.isascii():
        if "\0" in text:
            raise MalformedJson("a string has a NUL character")
        return
    if any(ord(character) in _SURROGATES or character == "\0" for character in text):
        raise MalformedJson("a string has a NUL character or half a surrogate pair")
