"""How values become arguments and requests: each stays what it is, wherever it stands."""

from typing import Any

import pytest
from tests.builders.tools import a_connection

from carapulse.tools.commands import command_of
from carapulse.tools.credentials import Credentials
from carapulse.tools.errors import ConnectionForbids, InputRefused
from carapulse.tools.manifest import HttpRun, Output, ProgramRun
from carapulse.tools.requests import request_of
from carapulse.tools.templates import Scope, filled


class NoSecrets:
    """Has none."""

    def read(self, reference: str) -> str:
        """Return the reference itself."""
        return reference

    def generate(self, characters: int) -> str:
        """Return letters."""
        return "g" * characters

    def keep(self, folder: str, name: str, value: str) -> str:
        """Keep nothing."""
        return f"file:{folder}/{name}/{len(value)}"


CREDENTIALS = Credentials(
    a_connection("demo", base_url="http://host:1/base", secrets={"db": {"secret": "env:DB"}}), NoSecrets()
)


def arguments(*argv: Any, **value: Any) -> tuple[str, ...]:
    run = ProgramRun.model_validate({"program": "demo", "argv": argv})
    return command_of(run, (), Scope(input=value), CREDENTIALS, Output()).arguments


def url(*path: Any, query: dict[str, Any] | None = None, **value: Any) -> str:
    run = HttpRun.model_validate({"method": "GET", "path": path, "query": query or {}})
    return request_of(run, Scope(input=value), CREDENTIALS, 100).url


def test_values_become_arguments_by_their_type():
    argv = [
        {"from": "input.a", "prefix": "--a="},
        {"from": "input.b", "prefix": "--b=", "suffix": "s"},
        {"from": "input.c", "flag": "--c"},
        {"from": "input.d", "flag": "--d"},
        {"from": "input.e"},
        {"from": "input.f", "omit_if_null": True},
        {"from": "input.g", "each": True},
    ]

    assert arguments(*argv, a=3.0, b=5, c=True, d=False, e="x y", g=["p", "q"]) == (
        "--a=3",
        "--b=5s",
        "--c",
        "x y",
        "p",
        "q",
    )


@pytest.mark.parametrize("value", ["-", "-x", "--output=/etc/passwd", "--"])
def test_a_positional_value_is_no_option(value: str):
    with pytest.raises(InputRefused):
        arguments("get", {"from": "input.a"}, a=value)
    with pytest.raises(InputRefused):
        arguments("get", {"from": "input.a", "each": True}, a=["x", value])

    assert arguments("get", "--", {"from": "input.a"}, a=value) == ("get", "--", value)
    assert arguments({"from": "input.a", "prefix": "--a="}, a=value) == (f"--a={value}",)


@pytest.mark.parametrize("value", ["a\nb", "a\0b", "a\rb", "a\x1bb"])
def test_control_characters_are_refused(value: str):
    with pytest.raises(InputRefused):
        arguments("--", {"from": "input.a"}, a=value)
    with pytest.raises(InputRefused):
        arguments({"from": "input.a", "prefix": "--a="}, a=value)


def test_a_nul_is_refused_even_where_lines_are_allowed():
    assert arguments({"from": "input.a", "prefix": "-m", "multiline": True}, a="a\nb") == ("-ma\nb",)
    with pytest.raises(InputRefused):
        arguments({"from": "input.a", "prefix": "-m", "multiline": True}, a="a\0b")


@pytest.mark.parametrize("value", [{}, {"a": None}, {"a": ""}])
def test_a_missing_or_empty_positional_value_is_refused(value: dict[str, Any]):
    with pytest.raises(InputRefused):
        arguments({"from": "input.a"}, **value)


def test_a_value_may_be_a_file():
    run = ProgramRun.model_validate(
        {"program": "demo", "argv": [{"from": "input.a", "prefix": "--values=", "file": "values.json"}]}
    )

    command = command_of(run, (), Scope(input={"a": {"b": [1]}}), CREDENTIALS, Output())

    assert (command.arguments, command.files) == (("--values=values.json",), {"values.json": '{"b": [1]}'})


def test_parts_of_a_path_are_encoded_each_for_itself():
    assert url("v1", {"from": "input.a"}, a="x/y?z#é %2e") == "http://host:1/base/v1/x%2Fy%3Fz%23%C3%A9%20%252e"
    assert url("v1", {"from": "input.a", "split": True}, a="x/y z") == "http://host:1/base/v1/x/y%20z"


@pytest.mark.parametrize("value", ["..", ".", "", None, "a/../b", "a//b", "/a", "a/"])
def test_a_path_that_leads_elsewhere_is_refused(value: str | None):
    with pytest.raises(InputRefused):
        url("v1", {"from": "input.a", "split": True}, a=value)


def test_queries_leave_out_nulls_and_repeat_lists():
    query = {"a": {"$from": "input.a"}, "b": {"$from": "input.b"}, "c": {"$from": "input.c"}, "d": "x&y=z"}

    assert url("v1", query=query, a=["p", "q&r"], c=True) == "http://host:1/base/v1?a=p&a=q%26r&c=true&d=x%26y%3Dz"


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "é"])
def test_a_header_holds_one_plain_line(value: str):
    run = HttpRun.model_validate({"method": "GET", "headers": {"X-A": {"$from": "input.a"}}})

    with pytest.raises(InputRefused):
        request_of(run, Scope(input={"a": value}), CREDENTIALS, 100)


def test_templates_keep_types_and_leave_out_nulls():
    template = {
        "a": {"$from": "input.n"},
        "b": {"$from": "input.none"},
        "c": [{"$from": "input.none"}, {"$from": "input.l"}],
        "d": None,
        "e": "{$from: input.n}",
    }

    assert filled(template, Scope(input={"n": 1, "l": [True]})) == {
        "a": 1,
        "c": [[True]],
        "d": None,
        "e": "{$from: input.n}",
    }


def test_what_the_connection_does_not_declare_is_refused():
    scope = Scope(input={"name": "x"}, connection={"repositories": {"y": 1}})

    with pytest.raises(ConnectionForbids):
        filled({"$from": "connection.repositories", "$at": "input.name"}, scope)


def test_fields_are_secrets_that_are_declared_or_new():
    scope = Scope(
        input={"fields": [{"name": "a", "secret": "db"}, {"name": "b", "generate": 20}]}, secret=CREDENTIALS.secret
    )

    assert filled({"$fields": "input.fields"}, scope) == {"a": "env:DB", "b": "g" * 20}


def test_a_template_without_secrets_makes_none():
    with pytest.raises(ConnectionForbids):
        filled({"$fields": "input.fields"}, Scope(input={"fields": [{"name": "a", "secret": "db"}]}))
