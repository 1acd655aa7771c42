"""What really goes over the wire is what the AsyncAPI document says: every event, frame, line, report and message."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from tests.builders.described import CONTRACT, faults_of
from tests.builders.following import Site as Followed
from tests.builders.following import serving
from tests.builders.intake import RECORDED
from tests.builders.rates import GENEROUS
from tests.conftest import a_database
from tests.world.rig import Rig, a_call, act, check
from tests.world.server import a_world
from tests.world.site import Site

from carapulse.broker.envelope import sealed
from carapulse.broker.ports import Ready
from carapulse.executions.usecases import ExecutePlan, execute_plan
from carapulse.executions.wishes import ResolveStep, RetryStep, resolve_step, retry_step
from carapulse.kernel.message import QUEUES
from carapulse.live.model import TYPE_PREFIX
from carapulse.plans.ending import cancel_plan
from carapulse.plans.requests import CancelPlan
from carapulse.runtime.areas import ROUTERS

HOLD = {"on_failure": "hold"}
TALK = {"stage": "diagnose", "tool": "nasty", "action": "read", "input": {"then": "sys.stderr.write('a line\\n')"}}


@dataclass(frozen=True)
class Written:
    """A log that is full, who asks and who follows, the run whose tool talked, what is queued, and the last place."""

    site: Site
    followed: Followed
    talked: str
    queued: list[tuple[Ready, dict[str, Any]]]
    last: int


def a_full_log(rig):
    """Let runs end in many ways: well, undone, held and tried again, lost and cleared up, cancelled."""
    talked = rig.run(TALK, act("switch", "hall"), check("hall")).id
    rig.run(act("switch", "hall"), act("switch", "attic"), check("cellar"))
    rig.world.broken = {"PUT attic"}
    held = rig.run(act("switch", "attic", id="attic"), check("attic"), constraints=HOLD)
    rig.world.broken = set()
    retry_step(held.id, RetryStep(step_id="attic", note="it is mended"), a_call("grace"), rig.app)
    rig.finish(held.id)
    rig.world.cut = {"ring hall"}
    lost = rig.run(act("ring", "hall", id="bell"), check("hall"))
    resolve_step(lost.id, ResolveStep(step_id="bell", done=True, note="I heard it"), a_call("grace"), rig.app)
    rig.finish(lost.id)
    cancel_plan(rig.plan(act("switch", "hall"), check("hall")).plan_id, CancelPlan(reason="x"), a_call(), rig.app)
    return talked


@pytest.fixture(scope="module")
def written(postgres, tmp_path_factory):
    with a_world() as world, a_database(postgres) as database, start_blocking_portal() as portal:
        rig = Rig(database.app_url, world, tmp_path_factory.mktemp("contract") / "data", max_deliveries=2, **GENEROUS)
        try:
            talked = a_full_log(rig)
            filled = Site(rig, database, portal)
            plan = rig.plan(act("switch", "hall"), check("hall"), environment="prod")
            rig.approve(plan)
            execute_plan(plan.plan_id, ExecutePlan(), a_call(), rig.app)
            with database.as_superuser() as connection:
                ((last,),) = connection.run("SELECT max(position) FROM events WHERE tenant = 'acme'")
            ready = rig.app.outbox.ready(QUEUES, 1000, ahead_s=1e6)
            queued = [(each, json.loads(sealed(each, rig.app.sealer))) for each in ready]
            with serving(rig.app, ROUTERS) as port:
                followed = Followed(filled, port)
                yield Written(filled, followed, talked, queued, last)
                followed.http.close()
        finally:
            rig.close()


def kind_of(message):
    return message["type"].removeprefix(TYPE_PREFIX)


def until(last, following):
    """Return everything up to a place in the log."""
    seen = [following()]
    while int(seen[-1]["sequence"]) < last:
        seen.append(following())
    return seen


def test_every_event_of_the_log_is_described(written):
    with written.followed.following("?after=0", role="admin") as follower:
        seen = until(written.last, follower.next)

    for event in seen:
        assert event.pop("event") == "message"
        assert faults_of("followEvents", kind_of(event), event) == []
    assert len({each["type"] for each in seen}) > 30


def test_the_frames_of_a_websocket_are_described(written):
    with written.followed.talking("?after=0", role="admin") as talker:
        opened = talker.opened
        seen = until(written.last, talker.next)
        wish: dict[str, Any] = {"type": "subscribe", "types": ["PlanClosed"], "after": opened["after"]}
        talker.say(**wish)
        turned = talker.next()
        talker.say(type="ping")
        answered = talker.next()
        talker.say(type="shout")
        last, _ = talker.until_closed()

    assert [faults_of("turn", "subscribe", wish), faults_of("ping", "ping", {"type": "ping"})] == [[], []]
    for frame in [opened, *seen, turned, last]:
        assert faults_of("followEventsOverWebSocket", kind_of(frame), frame) == []
    assert (turned["type"], answered["type"], last["type"]) == ("open", "pong", "end")
    (reply,) = CONTRACT["operations"]["ping"]["reply"]["messages"]
    assert reply["$ref"].endswith("/pong")


def test_a_message_that_is_not_described_is_found_out():
    beat = {"type": "heartbeat", "after": "1"}

    assert faults_of("followEventsOverWebSocket", "heartbeat", beat) == []
    assert faults_of("followEventsOverWebSocket", "heartbeat", {**beat, "after": 1})
    assert faults_of("followEventsOverWebSocket", "heartbeat", {**beat, "colour": "red"})
    assert faults_of("followEvents", "heartbeat", beat)


def test_the_lines_of_a_run_are_described(written):
    site, named = written.site, {"execution_id": written.talked}
    answer = site.ask("GET /v1/executions/{execution_id}/logs", site.token(), named)

    blocks = [dict(line.split(": ", 1) for line in block.splitlines()) for block in answer.text.split("\n\n")[1:-1]]
    names = {"log": "log", "end": "logEnd"}
    assert {each["event"] for each in blocks} == set(names)
    for each in blocks:
        assert faults_of("followLines", names[each["event"]], json.loads(each["data"])) == []


def test_the_messages_of_the_queues_are_described(written):
    assert len({message.type for message, _ in written.queued}) > 1
    for message, said in written.queued:
        for verb in ("ask", "do"):
            assert faults_of(f"{verb}{message.queue.capitalize()}", message.type, said) == []
            assert faults_of(f"{verb}{message.queue.capitalize()}", message.type, {**said, "receipt": "x"})


@pytest.mark.parametrize("file", sorted(RECORDED.glob("*.json")), ids=lambda each: each.stem)
def test_what_an_alertmanager_reports_is_described(file):
    notification = json.loads(file.read_text())

    assert faults_of("receiveSignedAlerts", "alertNotificationSigned", notification) == []
    assert faults_of("receiveAlertsWithToken", "alertNotification", {**notification, "version": "3"})
