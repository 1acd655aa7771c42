"""Requests made into versions of a plan, or refused."""

import pytest
from tests.builders.application import CATALOGUE
from tests.builders.plans import NOON, a_call, a_request

from carapulse.plans.drafting import Draft, draft
from carapulse.plans.errors import PlanInvalid
from carapulse.plans.requests import Origin


def drafted(*steps, **facts):
    """Return the version that is asked for."""
    origin = facts.pop("origin", Origin())
    wanted = Draft(plan_id="plan_1", request=a_request(*steps, **facts), origin=origin)
    return draft(wanted, a_call(), CATALOGUE, NOON)


def faults(*steps, **facts):
    """Return the places and codes for which the request is refused."""
    with pytest.raises(PlanInvalid) as caught:
        drafted(*steps, **facts)
    return [(fault.pointer, fault.code) for fault in caught.value.faults]
