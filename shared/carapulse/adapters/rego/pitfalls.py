"""Finds rules that regopy 1.5.2 gets wrong without saying so. OPA gets them right, so they are refused, not mended.

Inside the body of an `every` it takes a field for the variable of the same name (`every risk in x { y.risk == risk }`),
and an `every` inside an `every` for recursion. Both leave the rule undefined, and an undefined deny lets through.
"""

import re
from collections.abc import Iterator, Mapping

from carapulse.policy.errors import UnsoundPolicy

_WORD = re.compile(
    r"""\#[^\n]* | \[\s*"(?P<key>[A-Za-z_]\w*)" | "(?:\\.|[^"\\\n])*" | `[^`]*` | \.[A-Za-z_]\w* | [A-Za-z_]\w* | \S""",
    re.VERBOSE,
)


def refuse_pitfalls(modules: Mapping[str, str]) -> None:
    """Raise UnsoundPolicy for the first module that the embedded engine would misread."""
    for name, text in modules.items():
        words = list(_words(text))
        for place, word in enumerate(words):
            if word == "every":
                _check(name, *_variables_and_body(words, place + 1))


def _words(text: str) -> Iterator[str]:
    for found in _WORD.finditer(text):
        if found["key"]:
            yield from ("[", f".{found['key']}")
        elif found[0][0] not in '#"`':
            yield found[0]
        elif found[0][0] != "#":
            yield '""'


def _variables_and_body(words: list[str], start: int) -> tuple[list[str], list[str]]:
    domain = words.index("in", start)
    depth = 0
    for place in range(domain + 1, len(words)):
        if words[place] == "{" and depth == 0 and place > domain + 1:
            return words[start:domain], words[place + 1 : _end(words, place)]
        depth += _deeper(words[place])
    return words[start:domain], []


def _end(words: list[str], start: int) -> int:
    depth = 0
    for place in range(start, len(words)):
        depth += _deeper(words[place])
        if depth == 0:
            return place
    return len(words)


def _deeper(word: str) -> int:
    return (word in "{[(") - (word in "}])")


def _check(name: str, variables: list[str], body: list[str]) -> None:
    if "every" in body:
        raise UnsoundPolicy("an every stands inside an every; put the inner one into a rule of its own", file=name)
    fields = {word[1:] for word in body if word[0] == "." and len(word) > 1}
    if mixed := sorted(fields & {*variables, *body}):
        raise UnsoundPolicy(f"in an every, a variable has the name of a field: {', '.join(mixed)}", file=name)
