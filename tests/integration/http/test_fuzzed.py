"""What nobody thought of: requests made up from the contract, right and wrong, and answers held to it.

The suite tries a few for each operation, always the same; `make fuzz` tries many, others each time. Requests are made up
in the test and not when tests are collected, which every process of a run does.
"""

import os
from datetime import timedelta
from itertools import count

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import positive_data_acceptance
from schemathesis.core.result import Ok
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.generation.meta import TestPhase
from schemathesis.pytest._test_builder import build_operation_test
from tests.builders import contract
from tests.builders.application import LAMPS
from tests.builders.rates import GENEROUS
from tests.builders.served import served
from tests.builders.shipped import the_shipped
from tests.conftest import a_database

from carapulse.bootstrap import make_app
from carapulse.identity.issuer import DevelopmentIssuer
from carapulse.runtime.areas import ROUTERS
from carapulse.runtime.http import app as http
from carapulse.settings import Settings

CAMPAIGN = os.environ.get("CARAPULSE_FUZZ")
EXAMPLES = int(CAMPAIGN or "2")
STREAMS = ["/v1/events", "/v1/executions/{execution_id}/logs"]
PLANS_TOO = ["/v1/plans/{plan_id}/versions", "/v1/schedules", "/v1/schedules:preview"]
"""Where a POST takes a plan as `POST /v1/plans` does. Making plans up costs as much as all else: the suite does it once."""

EVERYTHING = schemathesis.openapi.from_dict(contract.CONTRACT).exclude(path=STREAMS)
CONTRACT = EVERYTHING if CAMPAIGN else EVERYTHING.exclude(path=PLANS_TOO, method="POST")
FIRST, ONE_IN = 4, 50
"""How many of the thousands of requests that go through each place of the contract the suite sends; `make fuzz` all."""
NOT_IN_A_SCHEMA = [positive_data_acceptance]


def understood(found):
    """Return an operation, unless the contract says what schemathesis does not understand."""
    assert isinstance(found, Ok), found
    return found.ok()


OPERATIONS = {each.label: each for each in map(understood, CONTRACT.get_all_operations())}


def is_left_out(number):
    """Return whether a request that is systematically wrong in a place is one of many of its kind."""
    return not CAMPAIGN and number >= FIRST and number % ONE_IN > 0


@pytest.fixture(scope="module")
def site(postgres, tmp_path_factory):
    """Serve the whole application on a database of its own, and return where, and who asks it over one connection."""
    folder = tmp_path_factory.mktemp("fuzzed")
    with a_database(postgres) as database:
        app = make_app(Settings(data_dir=folder, **GENEROUS), database.app_url, shipped=the_shipped(LAMPS))
        token = DevelopmentIssuer.load_or_make(folder).mint("acme", "ada", frozenset({"admin"}), timedelta(hours=8))
        with served(http.make_app(app, ROUTERS)) as url, requests.Session() as session:
            session.trust_env = False
            session.headers["Authorization"] = f"Bearer {token}"
            yield url, session
        app.close()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_answer_is_one_that_the_contract_knows(operation, site):
    url, session = site
    numbers, sent = count(), []

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    def answered_as_it_should_be(case):
        if case.meta.phase.name is TestPhase.COVERAGE and is_left_out(next(numbers)):
            return
        sent.append(case)
        case.call_and_validate(base_url=url, session=session, excluded_checks=NOT_IN_A_SCHEMA)

    build_operation_test(
        config=CONTRACT.config,
        operation=OPERATIONS[operation],
        test_func=answered_as_it_should_be,
        given_kwargs={},
        feedback=NO_FEEDBACK,
    )()

    assert len(sent) >= 2  # an operation that takes nothing has no more to try
