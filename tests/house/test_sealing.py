"""Whatever is kept sealed is sealed anew when the key changes: no place where it is kept can be forgotten."""

import ast
import importlib
import re
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.house.test_migrations import template  # noqa: F401 - the fixture

import carapulse
from carapulse.resealing.model import API_KEYS, MACHINES
from carapulse.resealing.places import PLACES
from carapulse.runtime.areas import handlers

SOURCE = Path(carapulse.__file__).parent
LIKE_A_SECRET = re.compile(r"seal|secret|token|cipher|crypt|mark|signed|signature|password")
NOT_SEALED = {
    "api_keys.mark": "a mark: made anew when the key is used",
    "api_keys.marked_by": "the id of a sealing key",
    "machines.signed_by": "the id of a sealing key",
    "source_credentials.token_digest": "a digest, without any key",
}
SEALING = {
    "chatops/receiving.py": {"messages.TellChat"},
    "chatops/usecases.py": {"chat_workspaces.sealed"},
    "idempotency/usecases.py": {"idempotency_keys.sealed"},
    "intake/usecases.py": {"source_credentials.sealed"},
    "notifications/usecases.py": {"channels.sealed", "channel_secrets.sealed"},
    "orchestration/reference.py": {"messages.MachineAsked", "messages.AttemptAsked", "machine_waits.token"},
    "paging.py": set(),  # cursors are with whoever asked, and end with the former key
    "resealing/usecases.py": set(PLACES),
}
MARKING = {
    "apikeys/proving.py": {API_KEYS},
    "broker/envelope.py": set(),  # messages are with a broker until they are delivered
    "orchestration/reference.py": {MACHINES},
}


def callers(method):
    """Return the modules that call a method of this name."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        calls = [each.func for each in ast.walk(ast.parse(path.read_text())) if isinstance(each, ast.Call)]
        if any(isinstance(each, ast.Attribute) and each.attr == method for each in calls):
            found.add(str(path.relative_to(SOURCE)))
    return found


def test_every_column_that_sounds_like_a_secret_is_sealed_anew_or_known_to_hold_none(template):  # noqa: F811
    query = """SELECT c.relname || '.' || a.attname AS name, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped"""
    columns = {name for name, column in template.execute(text(query)) if LIKE_A_SECRET.search(column)}

    assert columns == {each.name for each in PLACES.values() if each.message is None} | NOT_SEALED.keys()


def test_every_message_that_carries_a_secret_is_sealed_anew():
    kinds = [kind for driver in ("queue", "step-functions") for kind in handlers(driver).handlers]
    carried = {
        f"messages.{model.__name__}": {name for name in model.model_fields if LIKE_A_SECRET.search(name)}
        for model in every_message()
    }

    assert kinds
    assert {name for name, fields in carried.items() if fields} == {
        name for name, place in PLACES.items() if place.message is not None
    }
    assert all(carried[name] == {place.column} for name, place in PLACES.items() if place.message is not None)


def every_message():
    for path in SOURCE.glob("*/messages.py"):
        module = importlib.import_module(f"carapulse.{path.parent.name}.messages")
        for each in vars(module).values():
            if isinstance(each, type) and each.__module__ == module.__name__ and hasattr(each, "queue"):
                yield each


def test_whoever_seals_says_in_which_places_it_is_kept():
    assert callers("seal") == SEALING.keys()
    assert set.union(*SEALING.values()) == set(PLACES)


def test_whoever_marks_says_what_is_known_by_it():
    assert callers("mark") - {"adapters/postgres/tail.py"} == MARKING.keys()
    assert callers("marked_by") == MARKING.keys()


@pytest.mark.parametrize("name", PLACES)
def test_a_place_is_counted_by_the_function_that_looks_over_the_walls(name, template):  # noqa: F811
    function = template.execute(text("SELECT prosrc FROM pg_proc WHERE proname = 'kept_by_key'")).scalar_one()

    kind = PLACES[name].message
    assert f"'{name if kind is None else kind}'" in function
