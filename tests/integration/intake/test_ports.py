"""The composition root gives what the intake asks for: the types say so, and the check of types is the test."""

from carapulse.bootstrap import App
from carapulse.intake.planning import PlanningPorts


def as_planning_asks(app: App) -> PlanningPorts:
    return app


def test_the_application_offers_every_port_of_the_intake():
    asked = {"clock", "sealer", "source_directory", "catalogue", "policy", "workflows", "envelopes", "settings"}

    assert {name for name in asked if not hasattr(App, name) and name not in App.__dataclass_fields__} == set()
