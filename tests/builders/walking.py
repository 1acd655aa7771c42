"""Executions of every shape, and what may happen to them, as property tests draw them."""

from hypothesis import strategies as st
from tests.builders.executions import facts
from tests.builders.walks import Walk

from carapulse.executions.model import StepFacts
from carapulse.plans.steps import Group

ENDS = ["ok"] * 6 + ["fail", "half", "again", "unknown", "taken"]
WISHES = ["pause", "resume", "cancel", "keep", "deadline", "retry", "resolve", "refuse", "skip", "delay"]
MOVES = st.lists(st.tuples(st.sampled_from(["start"] * 10 + ENDS + WISHES), st.integers(0, 9)), max_size=50)
CALM = st.lists(st.tuples(st.sampled_from(["start"] * 10 + ENDS), st.integers(0, 9)), max_size=50)
GROUPS = st.builds(Group, max_concurrency=st.integers(1, 3), max_failures=st.integers(0, 2))
SOME = st.lists(st.sampled_from(["x", "y", "z"]), max_size=2, unique=True).map(tuple)


@st.composite
def walks(draw):
    stages = sorted(draw(st.lists(st.sampled_from(["act", "act", "diagnose", "report", "verify"]), max_size=6)))
    steps: list[StepFacts] = []
    fans = {}
    for number, stage in enumerate(["act", *stages]):
        group = draw(st.sampled_from([None, None, f"all-{stage}"]))
        if group is not None:
            fans[group] = draw(GROUPS)
        before = [each.id for each in steps if each.stage == stage and (group is None or each.group != group)]
        after = draw(st.lists(st.sampled_from(before), max_size=2, unique=True)) if before else []
        more = {"after": tuple(after), "targets": draw(SOME), "group": group, "undoable": draw(st.booleans())}
        steps.append(facts(f"s{number}", stage, position=draw(st.integers(1, 9)), **more))
    rules = {"hold": draw(st.booleans()), "dry_run": draw(st.sampled_from([False, False, False, True]))}
    rules["undoes"] = None if rules["dry_run"] else draw(st.sampled_from([None, None, "exec_0"]))
    return Walk.of(*steps, groups=fans, max_concurrency=draw(st.integers(1, 3)), **rules)
