"""One LocalStack for all tests of it."""

import pytest
from tests.world.localstack import a_localstack


@pytest.fixture(scope="session")
def localstack():
    with a_localstack() as address:
        yield address
