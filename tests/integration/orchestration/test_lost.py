"""Whatever is lost, late, doubled or forged between a state machine and us: the change goes on, once."""

import json
import time
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import text
from tests.functions.clouds import CONTEXT, recorded
from tests.world.conducted import Conducted
from tests.world.rig import a_call, act, check
from tests.world.server import a_world

from carapulse.broker.events import STREAM
from carapulse.executions.usecases import ExecutePlan, execute_plan
from carapulse.kernel.call import INSTALLATION
from carapulse.kernel.errors import Unavailable
from carapulse.orchestration.machines import look_after_machines
from carapulse.orchestration.messages import AttemptAsked
from carapulse.orchestration.model import MachineStatus
from carapulse.orchestration.ports import Machines
from carapulse.orchestration.ringing import PURPOSE
from carapulse.runtime.dispatch import Dispatcher
from carapulse.runtime.queue import QueueFunction


@pytest.fixture
def rig(database, tmp_path, machine):
    machine.forget()
    with a_world() as world:
        one = Conducted(database.app_url, world, tmp_path / "data", machine)
        yield one
        one.close()


def a_change(rig):
    """Have a machine stand before a plan that may be executed, and return the plan and the machine."""
    plan = rig.plan(act("switch", "hall"), check("hall"))
    with rig.working():
        rig.stands("AwaitStart")
    return plan, rig.machine.executions()[0]


@dataclass
class Saying:
    """The real machines, but for how one of them is, or for what is not to be had for a while."""

    real: Machines
    said: dict[str, MachineStatus] = field(default_factory=dict)
    away: int = 0

    def status(self, name):
        return self.said.get(name) or self.real.status(name)

    def start(self, change, name):
        self.real.start(change, name)

    def tell(self, token, told):
        if self.away:
            self.away -= 1
            raise Unavailable("Step Functions did not answer")
        self.real.tell(token, told)

    def refuse(self, token, error, cause):
        self.real.refuse(token, error, cause)

    def beat(self, token):
        self.real.beat(token)

    def stop(self, name, cause):
        self.real.stop(name, cause)


def look_after(rig, arn, status):
    """Let the clock look after a machine that its cloud says something of."""
    rig.rows("UPDATE machines SET look_at = clock_timestamp() RETURNING plan_id")
    name = arn.rpartition(":")[2]
    app = replace(rig.app, configured_machines=Saying(rig.app.machines, {name: status}))
    look_after_machines(a_call("scheduler"), app)


def status_of(rig, plan):
    return rig.rows("SELECT status FROM plans WHERE id = :id", id=plan.plan_id)[0][0]


def test_a_machine_that_is_stopped_from_outside_takes_its_plan_back(rig):
    plan, arn = a_change(rig)
    look_after(rig, arn, MachineStatus.ABORTED)
    with rig.working():
        rig.until(lambda: status_of(rig, plan) == "closed")

    assert len(rig.machine.executions()) == 1


def test_a_machine_that_is_stopped_in_the_middle_cancels_its_run_and_another_undoes_it(rig):
    plan, arn = a_change(rig)
    rig.world.delays["GET hall"] = 1.0
    execution = rig.start(plan)
    with rig.working():
        rig.until(lambda: rig.world.counts["PUT hall"] == 1)
        look_after(rig, arn, MachineStatus.ABORTED)
        state = rig.finish(execution)

    assert (state.status, state.left) == ("cancelled", ())
    assert rig.world.on["hall"] is False
    rig.until(lambda: any("UndoSteps" in states for states in rig.told().values()))


@pytest.mark.parametrize("status", [MachineStatus.GONE, MachineStatus.FAILED, MachineStatus.TIMED_OUT])
def test_a_machine_that_is_lost_is_replaced(rig, status):
    plan, arn = a_change(rig)
    look_after(rig, arn, status)
    execution = rig.start(plan)
    with rig.working():
        assert rig.finish(execution).status == "succeeded"

    assert [each.rpartition("-")[2] for each in rig.machine.executions()] == ["2", "1"]
    assert rig.world.counts == {"PUT hall": 1}


def test_a_machine_that_is_not_there_can_be_stopped_and_one_that_is(rig):
    _, arn = a_change(rig)  # the emulator takes the request, but its machines do not heed it while they wait

    for name in ("nowhere", arn.rpartition(":")[2]):
        rig.app.machines.stop(name, "its change is over")


def test_a_bell_that_nobody_heard_is_rung_by_the_clock(rig):
    plan, arn = a_change(rig)
    execution = rig.start(plan)
    rig.rows("DELETE FROM messages WHERE type IN ('ConductPlan', 'AdvanceExecution') RETURNING id")
    look_after(rig, arn, MachineStatus.RUNNING)
    with rig.working():
        assert rig.finish(execution).status == "succeeded"


def test_what_a_machine_asks_twice_is_done_once(rig):
    plan, _ = a_change(rig)
    execution = rig.start(plan)
    asked = asked_by_machine(rig, "executions", "Attempt", lambda: rig.workers_of({"orchestration"}).run_until_idle())
    for _ in range(3):
        rig.machine.queues.put("executions", asked)
    with rig.working():
        assert rig.finish(execution).status == "succeeded"

    assert rig.world.counts == {"PUT hall": 1}


def test_what_takes_a_function_long_is_brought_to_no_second_one_meanwhile(database, tmp_path, machine):
    machine.forget()
    with a_world() as world:
        rig = Conducted(database.app_url, world, tmp_path / "data", machine, visibility_s=1)
        plan, _ = a_change(rig)
        rig.start(plan)
        asked = asked_by_machine(
            rig, "executions", "Attempt", lambda: rig.workers_of({"orchestration"}).run_until_idle()
        )

        deliveries = []

        def attempt(_message, _call, app):
            time.sleep(1.2)
            app.relay.run()
            deliveries.extend(rig.rows("SELECT attempts FROM messages WHERE type = 'AttemptAsked'"))

        function = QueueFunction(rig.app, Dispatcher({AttemptAsked.__name__: (AttemptAsked, attempt)}))
        (record, *_) = recorded("aws/sqs_batch")["Records"]
        record |= {"body": asked}
        record["attributes"]["ApproximateReceiveCount"] = "1"

        assert function.from_sqs({"Records": [record]}, CONTEXT) == {"batchItemFailures": []}
        left = rig.rows("SELECT 1 FROM messages WHERE type = 'AttemptAsked'")
        rig.close()
    assert (deliveries, left) == ([(1,)], [])


def test_a_worker_whose_answer_was_lost_answers_again_and_does_nothing_twice(rig):
    plan, _ = a_change(rig)
    execution = rig.start(plan)
    rig.app = replace(rig.app, configured_machines=Saying(rig.app.machines, away=2))
    with rig.working():
        assert rig.finish(execution, 60).status == "succeeded"

    assert rig.world.counts == {"PUT hall": 1}


def test_what_claims_to_be_a_machine_is_not_believed_and_is_in_the_log(rig):
    plan, _ = a_change(rig)
    rig.start(plan)
    asked = asked_by_machine(rig, "executions", "Attempt", lambda: rig.workers_of({"orchestration"}).run_until_idle())
    forged = [
        asked.replace('"acme"', '"evil"'),
        asked.replace(plan.plan_id, "plan_of_somebody_else"),
        '{"asked": "Attempt"}',
        '{"source": "aws.states", "detail": {"input": "{}"}}',
    ]
    for each in forged:
        rig.machine.queues.put("orchestration", each)
    with rig.working():
        rig.until(lambda: len(reports(rig)) == len(forged))

    assert rig.world.counts["PUT hall"] <= 1


def test_a_step_that_is_none_of_the_execution_is_refused(rig):
    plan, _ = a_change(rig)
    rig.start(plan)
    asked = asked_by_machine(rig, "executions", "Attempt", lambda: rig.workers_of({"orchestration"}).run_until_idle())
    document = json.loads(asked)
    document["step"]["step_id"] = "nowhere"
    document["token"] += "x"
    rig.machine.queues.put("executions", json.dumps(document))
    with rig.working():
        rig.until(lambda: dead(rig) == [("AttemptAsked",)], 90)


def test_what_the_cloud_says_of_an_ended_machine_is_looked_into(rig):
    plan, arn = a_change(rig)
    given = rig.machine.client.describe_execution(executionArn=arn)["input"]
    rig.machine.queues.put(
        "orchestration", json.dumps({"source": "aws.states", "detail": {"input": given, "status": "ABORTED"}})
    )
    name = arn.rpartition(":")[2]
    rig.app = replace(rig.app, configured_machines=Saying(rig.app.machines, {name: MachineStatus.ABORTED}))
    with rig.working():
        rig.until(lambda: status_of(rig, plan) == "closed")


def test_tokens_are_kept_sealed(rig):
    a_change(rig)

    ((token,),) = rig.rows("SELECT token FROM machine_waits")
    assert token.startswith("v2.")
    assert rig.app.sealer.open(token, PURPOSE) not in token


def test_a_dry_run_needs_no_machine(rig):
    plan, _ = a_change(rig)
    execution = execute_plan(plan.plan_id, ExecutePlan(dry_run=True), a_call(), rig.app).id
    with rig.working():
        assert rig.finish(execution).status == "succeeded"

    assert rig.world.counts["PUT hall"] == 0
    assert len(rig.machine.executions()) == 1


def asked_by_machine(rig, queue, what, meanwhile):
    """Return what the machine sends to a queue, as its text, and leave it there."""
    broker = rig.machine.queues.broker()
    found: list[str] = []

    def came():
        meanwhile()
        texts = [each.text for each in broker.receive(queue, 10, 0, 0.2)]
        found.extend(each for each in texts if json.loads(each).get("asked") == what)
        return bool(found)

    rig.until(came)
    return found[0]


def reports(rig):
    with rig.app.begin(a_call(tenant=INSTALLATION)) as work:
        query = text("SELECT type FROM events WHERE stream = :stream")
        return work.connection.execute(query, {"stream": STREAM}).all()


def dead(rig):
    return rig.rows("SELECT type FROM messages WHERE dead_at IS NOT NULL")
