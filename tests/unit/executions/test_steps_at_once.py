"""Which steps of a stage may run at the same time, and which must wait for each other."""

from datetime import timedelta

from tests.builders.executions import NOW, WRONG, Run, facts

from carapulse.executions.ending import Finish
from carapulse.executions.events import StepDelayed, StepRetried, StepSkipped
from carapulse.executions.model import Effect, Status, StepStatus
from carapulse.plans.steps import Group

LATER = NOW + timedelta(minutes=5)


def members(*names, group="all", **more):
    return [facts(name, position=n, group=group, **more) for n, name in enumerate(names, 1)]


def retried(run, step_id):
    names = run.starts(step_id)
    return run.happened(StepRetried(**names, error=WRONG, retry_at=LATER, effect=Effect.NONE))


def test_steps_run_one_by_one_unless_more_are_allowed():
    steps = [facts("a"), facts("b", position=2), facts("c", position=3)]

    assert Run(*steps).startable == ["a"]
    assert Run(*steps, max_concurrency=2).startable == ["a", "b"]


def test_a_step_that_ends_makes_room_for_one():
    run = Run(*[facts(name, position=n) for n, name in enumerate("abc", 1)], max_concurrency=2)
    first = run.starts("a")
    run.starts("b")

    assert run.startable == []
    assert run.ends(first).startable == ["c"]


def test_what_depends_on_a_step_that_runs_waits_for_it_and_others_do_not():
    run = Run(facts("a"), facts("b", position=2, after=("a",)), facts("c", position=3), max_concurrency=9)
    names = run.starts("a")

    assert run.startable == ["c"]
    assert run.ends(names).startable == ["b", "c"]


def test_a_fan_out_counts_as_one_and_has_a_limit_of_its_own():
    fan = members("m1", "m2", "m3")
    run = Run(*fan, facts("z", position=9), max_concurrency=2, groups={"all": Group(max_concurrency=2)})

    assert run.startable == ["m1", "m2", "z"]


def test_a_fan_out_takes_no_more_room_than_its_own_where_steps_go_one_by_one():
    fan = members("m1", "m2", "m3")
    run = Run(*fan, facts("z", position=9), groups={"all": Group(max_concurrency=2)})
    first = run.starts("m1")

    assert run.startable == ["m2"]
    assert run.ends(first).startable == ["m2", "m3"]


def test_a_failure_in_a_fan_out_that_may_not_fail_stops_the_rest():
    run = Run(*members("m1", "m2", "m3"), max_concurrency=2, groups={"all": Group(max_concurrency=2)})
    first, second = run.starts("m1"), run.starts("m2")

    run.ends(first, error=WRONG)

    assert run.startable == []
    run.ends(second)
    assert (run.state.status, run.startable) == (Status.UNDOING, ["m2"])


def test_a_fan_out_bears_as_many_failures_as_it_may_have_and_no_more():
    run = Run(*members("m1", "m2", "m3"), facts("z", position=9), groups={"all": Group(max_failures=1)})
    run.fails()

    assert run.startable == ["m2"]
    run.fails()
    assert run.next.status is Status.FAILED


def test_what_comes_after_a_fan_out_goes_on_after_a_failure_that_is_borne():
    last = facts("z", position=9, after=("m1", "m2"))
    run = Run(*members("m1", "m2"), last, groups={"all": Group(max_failures=1)})

    run.fails(effect=Effect.MAYBE).succeeds(times=2)

    assert run.next == Finish(Status.SUCCEEDED, None, ("m1",))


def test_two_steps_that_share_a_target_never_run_at_once():
    run = Run(
        facts("a", targets=("x", "y")),
        facts("b", position=2, targets=("y",)),
        facts("c", position=3, targets=("z",)),
        max_concurrency=9,
    )
    names = run.starts("a")

    assert run.startable == ["c"]
    assert run.ends(names).startable == ["b", "c"]


def test_members_of_a_fan_out_that_share_a_target_take_turns():
    run = Run(*members("m1", "m2", targets=("x",)), groups={"all": Group(max_concurrency=2)})

    assert run.startable == ["m1"]


def test_a_stage_begins_when_the_one_before_it_has_ended():
    run = Run(facts("look", "diagnose"), facts("a"), facts("b", position=2), facts("c", "verify"), max_concurrency=9)
    run.succeeds()
    first, second = run.starts("a"), run.starts("b")

    assert run.ends(first).startable == []
    assert run.ends(second).startable == ["c"]


def test_a_skipped_step_has_no_effect_and_what_depends_on_it_goes_on():
    run = Run(facts("a"), facts("b", position=2, after=("a",)))

    run.happened(StepSkipped(execution_id="exec_1", step_id="a", condition="steps.look.output.lit"))

    assert run.state.steps[0].run.effect is Effect.NONE
    assert run.startable == ["b"]


def test_what_was_skipped_is_not_undone():
    run = Run(facts("a"), facts("b", position=2))
    run.happened(StepSkipped(execution_id="exec_1", step_id="a", condition="false"))

    run.fails(effect=Effect.MAYBE).succeeds()

    assert run.next.status is Status.ROLLED_BACK
    assert run.state.steps[0].undo is None


def test_a_wait_is_over_at_its_time_and_is_one_attempt():
    run = Run(facts("wait", "diagnose"), facts("a"))

    run.happened(StepDelayed(execution_id="exec_1", step_id="wait", until=LATER))

    assert (run.next.step_id, run.next.attempt, run.next.not_before) == ("wait", 1, LATER)
    assert run.succeeds().startable == ["a"]


def test_a_wait_keeps_its_place_among_those_that_run_at_once():
    run = Run(facts("wait"), facts("b", position=2), facts("c", position=3), max_concurrency=2)
    run.happened(StepDelayed(execution_id="exec_1", step_id="wait", until=LATER))

    assert run.startable == ["wait", "b"]


def test_a_step_that_is_to_be_tried_again_keeps_its_place():
    run = retried(Run(facts("a"), facts("b", position=2), facts("c", position=3), max_concurrency=2), "a")
    run.starts("b")

    assert run.startable == ["a"]


def test_a_step_that_is_to_be_tried_again_keeps_its_place_also_before_earlier_ones_that_become_free():
    steps = [facts("a", position=1, after=("c",)), facts("b", position=2), facts("c", position=3)]
    run = Run(*steps, facts("d", position=0, after=("c",)), max_concurrency=2)
    other = run.starts("c")
    retried(run, "b")

    run.ends(other)

    assert run.startable == ["b", "d"]


def test_nobody_touches_the_target_of_a_step_that_is_to_be_tried_again():
    early, late = facts("a", after=("c",), targets=("x",)), facts("b", position=2, targets=("x",))
    run = Run(early, late, facts("c", position=3), max_concurrency=2)
    other = run.starts("c")
    retried(run, "b")

    run.ends(other)

    assert run.startable == ["b"]
    assert run.state.step("a").run.status is StepStatus.WAITING
