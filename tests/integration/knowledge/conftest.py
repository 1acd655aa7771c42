"""Somebody who asks for what is known. The database is shared; each test is a tenant of its own."""

import pytest
from tests.builders.kept import an_asker, kept
from tests.conftest import a_database


@pytest.fixture(scope="module")
def app(postgres):
    with a_database(postgres) as database, kept(database) as built:
        yield built


@pytest.fixture
def ask(app):
    return an_asker(app)
