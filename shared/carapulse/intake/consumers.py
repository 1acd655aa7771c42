"""Messages that the intake reacts to."""

from carapulse.intake.messages import ClosePlanOfAlert, PlanAlert, SortAlerts
from carapulse.intake.planning import close_plan_of_alert, plan_alert
from carapulse.intake.sorting import sort_alerts
from carapulse.messaging import Consumers

consumers = Consumers()
consumers.on(SortAlerts)(sort_alerts)
consumers.on(PlanAlert)(plan_alert)
consumers.on(ClosePlanOfAlert)(close_plan_of_alert)
