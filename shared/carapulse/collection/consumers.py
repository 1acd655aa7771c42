"""Messages that collection reacts to."""

from carapulse.collection.messages import RunCollector
from carapulse.collection.running import give_run_up, run_collector
from carapulse.messaging import Consumers

consumers = Consumers()
consumers.on(RunCollector)(run_collector)
consumers.on_giving_up(RunCollector)(give_run_up)
