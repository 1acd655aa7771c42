"""Messages that schedules react to."""

from carapulse.messaging import Consumers
from carapulse.schedules.messages import PlanSchedule
from carapulse.schedules.planning import give_schedule_up, plan_schedule

consumers = Consumers()
consumers.on(PlanSchedule)(plan_schedule)
consumers.on_giving_up(PlanSchedule)(give_schedule_up)
