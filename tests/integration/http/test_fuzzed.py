"""What nobody thought of: requests made up from the contract, right and wrong, and answers held to it.

The suite tries a few for each operation, always the same; `make fuzz` tries many, others each time. Requests are made up
in the test and not when tests are collected, which every process of a run does.
"""

import os
from datetime import timedelta

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import positive_data_acceptance
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.pytest._test_builder import build_operation_test
from tests.builders import contract
from tests.builders.application import LAMPS
from tests.builders.rates import GENEROUS
from tests.builders.served import served
from tests.conftest import a_database

from carapulse.bootstrap import make_app
from carapulse.identity.issuer import DevelopmentIssuer
from carapulse.integrations import builtin_manifests
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
OPERATIONS = {each.label: each for each in (found.ok() for found in CONTRACT.get_all_operations())}
NOT_IN_A_SCHEMA = [positive_data_acceptance]


@pytest.fixture(scope="module")
def site(postgres, tmp_path_factory):
    """Serve the whole application on a database of its own, and return where and with which token."""
    folder = tmp_path_factory.mktemp("fuzzed")
    with a_database(postgres) as database:
        app = make_app(Settings(data_dir=folder, **GENEROUS), database.app_url, tools=[*builtin_manifests(), LAMPS])
        token = DevelopmentIssuer.load_or_make(folder).mint("acme", "ada", frozenset({"admin"}), timedelta(hours=8))
        with served(http.make_app(app, ROUTERS)) as url:
            yield url, token
        app.close()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_answer_is_one_that_the_contract_knows(operation, site):
    url, token = site
    sent = []

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    def answered_as_it_should_be(case):
        sent.append(case)
        by = {"Authorization": f"Bearer {token}"}
        case.call_and_validate(base_url=url, headers=by, excluded_checks=NOT_IN_A_SCHEMA)

    build_operation_test(
        config=CONTRACT.config,
        operation=OPERATIONS[operation],
        test_func=answered_as_it_should_be,
        given_kwargs={},
        feedback=NO_FEEDBACK,
    )()

    assert len(sent) >= EXAMPLES
