"""What is understood in a chat, and that nothing else is."""

import pytest
from fastapi.routing import APIRoute

from carapulse.chatops.answering import DEEDS
from carapulse.chatops.errors import CommandUnknown
from carapulse.chatops.grammar import USAGE, Command, parse
from carapulse.routing import Needs
from carapulse.runtime.areas import ROUTERS

PLAN, RUN, DIGEST = f"plan_{'0a' * 16}", f"exec_{'0b' * 16}", "0123abcd"
WITHOUT_A_DEED = {"help", "link", "unlink", "whoami"}


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("", Command(deed="help")),
        ("  help ", Command(deed="help")),
        (f"link {'A' * 26}", Command(deed="link", id="A" * 26)),
        ("Plans", Command(deed="plans")),
        (f"plan {PLAN}", Command(deed="plan", id=PLAN)),
        (f"approve {PLAN} {DIGEST}", Command(deed="approve", id=PLAN, digest=DIGEST)),
        (
            f"approve {PLAN} sha256:{DIGEST}9 go on",
            Command(deed="approve", id=PLAN, digest=f"{DIGEST}9", words="go on"),
        ),
        (f"deny {PLAN} {DIGEST} not  now", Command(deed="deny", id=PLAN, digest=DIGEST, words="not now")),
        (f"cancel {PLAN}", Command(deed="cancel plan", id=PLAN)),
        (f"cancel {RUN} wrong hall", Command(deed="cancel execution", id=RUN, words="wrong hall")),
        (f"status {RUN}", Command(deed="status execution", id=RUN)),
    ],
)
def test_a_command_is_understood(text, command):
    assert parse(text) == command


@pytest.mark.parametrize(
    "text",
    [
        "ok",
        "please help",
        "help me",
        "plan",
        "plan 12",
        f"plan {PLAN} {PLAN}",
        f"approve {PLAN}",
        f"approve {PLAN} 0123abc",
        f"approve {PLAN} 0123ABCD",
        f"approve {RUN} {DIGEST}",
        f"approve {PLAN} {DIGEST} a\u202eb",
        f"deny {PLAN} {DIGEST}",
        f"deny {PLAN} {DIGEST} {'x' * 201}",
        f"execute {RUN}",
        f"execute {PLAN} now",
        "link abc",
        f"status {PLAN.upper()}",
    ],
)
def test_what_is_not_wholly_a_command_is_none(text):
    with pytest.raises(CommandUnknown):
        parse(text)


def permissions_of(route):
    return {each.dependency.permission for each in route.dependencies if isinstance(each.dependency, Needs)}


def test_every_command_needs_the_permission_of_its_route():
    routes = [route for area in ROUTERS.areas for route in area.load().routes if isinstance(route, APIRoute)]
    needed = {f"{method} {route.path}": permissions_of(route) for route in routes for method in route.methods or ()}

    assert {name: {deed.permission} for name, deed in DEEDS.items()} == {
        name: needed[deed.route] for name, deed in DEEDS.items()
    }


def test_every_command_that_is_written_down_does_something():
    deeds = {each.partition(" ")[0] for each in DEEDS}

    assert USAGE.keys() == deeds | WITHOUT_A_DEED
