"""How answers look."""

from rich.console import Console

from carapulse.kernel.errors import Fault
from carapulse.surfaces.cli.views.executions import changes_between, execution_view, ways_on
from carapulse.surfaces.cli.views.lists import timeline_view, workflows_view
from carapulse.surfaces.cli.views.logs import line_of
from carapulse.surfaces.cli.views.plans import no_return, plan_view, plans_view, risk_view
from carapulse.surfaces.cli.views.problems import complaint_view, problem_view
from carapulse.surfaces.cli.views.steps import waiting
from carapulse.surfaces.cli.views.text import block, plain, seconds_between


def drawn(view, width=160):
    console = Console(width=width, record=True, force_terminal=False, markup=False, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(view)
    console.file.close()
    return console.export_text()


def a_plan(**changes):
    step = {"id": "s1", "stage": "act", "tool": "git", "action": "commit_file", "effect": "write", "undo": "automatic"}
    return {
        "plan_id": "plan_1",
        "status": "awaiting_approval",
        "summary": "Back to 1.4",
        "digest": "sha256:ab",
        "risk_level": "low",
        "decision": "require_approval",
        "approvals_required": 1,
        "reasons": [{"guard": "risk", "reason": "a person must agree"}],
        "steps": [{**step, "input": {"repo": "deploy"}, "expect": [{"path": "status", "op": "eq", "value": 200}]}],
        **changes,
    }


def an_execution(ended, **step):
    return {
        "execution_id": "exec_1",
        "status": ended,
        "steps": [{"id": "s1", "stage": "act", "tool": "git", "action": "push", "status": "waiting", **step}],
    }


def test_a_run_that_waits_for_a_person_says_what_can_be_asked_of_it():
    held = {**an_execution("needs_human"), "left": ["bell", "hall"]}
    held["steps"] = [
        {"id": "bell", "status": "unknown"},
        {"id": "hall", "status": "failed"},
        {"id": "b", "status": "failed"},
    ]

    ways = ways_on(held)

    assert [way.split(" --")[0] for way in ways] == [
        "carapulse execution resolve exec_1 bell",
        "carapulse execution retry exec_1 hall",
        "carapulse execution cancel exec_1 [--no-undo]",
    ]
    assert all(way in drawn(execution_view(held)) for way in ways)
    assert ways_on(an_execution("running")) == []


def test_a_plan_shows_what_its_approvers_decide_about():
    said = drawn(plan_view(a_plan()))

    for needed in (
        "sha256:ab",
        "1 person must agree",
        "a person must agree",
        "git.commit_file",
        "status eq 200",
        "automatic",
    ):
        assert needed in said


def test_a_plan_says_on_which_terms_its_steps_run():
    step = {
        "id": "fan-1",
        "tool": "git",
        "action": "push",
        "when": "steps.look.output.ok",
        "wait": {"check_s": 60, "every_s": 5},
        "input_from": {"commit": {"step": "look", "path": "sha"}},
        "point_of_no_return": True,
        "group": "fan",
    }
    limits = {"max_concurrency": 4, "on_failure": "hold"}
    said = " ".join(
        drawn(
            plan_view(
                a_plan(steps=[step], constraints=limits, groups={"fan": {"max_concurrency": 2, "max_failures": 1}})
            ),
            width=240,
        ).split()
    )

    for needed in (
        "only when steps.look.output.ok",
        "asks every 5 seconds, for at most 60",
        "commit: what look puts out at sha",
        "nobody goes back after it",
        "one of fan",
        "up to 4 steps of a stage at once; if a step fails, a person decides before anything is undone",
        "of fan 2 at once, and 1 may fail",
    ):
        assert needed in said


def test_a_plan_that_goes_back_says_that_nothing_is_done_again_if_a_step_fails():
    back = {"meta": {"undoes": "exec_0"}}
    held = {**back, "constraints": {"on_failure": "hold"}}

    said = " ".join(drawn(plan_view(a_plan(**back)), width=240).split())
    assert "goes back on exec_0; if a step fails, the others are still done, and nothing is done again" in said
    assert "if a step fails, a person decides how it goes on" in drawn(plan_view(a_plan(**held)), width=240)


def test_a_run_that_goes_back_says_on_what_and_is_cancelled_without_a_choice():
    held = {**an_execution("needs_human"), "undoes": "exec_0", "left": []}

    assert ways_on(held) == ["carapulse execution cancel exec_1"]
    assert "exec_0" in drawn(execution_view(held))


def test_a_wait_is_told_in_words():
    assert waiting({"for_s": 90.0}) == "waits for 90.0 seconds"
    assert waiting({"until": "2026-01-15T21:00:00Z"}) == "waits until 2026-01-15 21:00:00"


def test_a_plan_says_before_approval_after_which_step_nobody_goes_back():
    smashed = {"point_of_no_return": "final", "irreversible_steps": ["smash", "burn"]}

    assert no_return(smashed) == "after final nobody goes back; smash, burn can't be undone"
    assert no_return({"point_of_no_return": "final"}) == "after final nobody goes back"
    assert no_return({}) == "every step can be gone back on"
    assert no_return(smashed) in drawn(plan_view(a_plan(**smashed)))
    assert no_return(smashed) in drawn(risk_view({"plan_id": "plan_1", **smashed}))


def test_what_an_installation_lets_a_requester_do_is_visible():
    assert "the requester may approve it here" in drawn(plan_view(a_plan(self_approval=True)))


def test_text_from_outside_cannot_move_the_cursor_or_turn_around():
    said = plain("\x1b[2Jok\r\u202egnp.exe\u200b")

    assert said == "\\u001b[2Jok\\u000d\\u202egnp.exe\\u200b"


def test_text_from_outside_cannot_pose_as_markup():
    assert "[red]hello[/red]" in drawn(plan_view(a_plan(summary="[red]hello[/red]")))


def test_lines_stay_lines():
    assert block("a\x1b\nb") == "a\\u001b\nb"


def test_a_problem_shows_where_the_request_is_wrong():
    errors = [{"pointer": "/steps/0/tool", "code": "unknown-tool", "detail": "there is no such tool"}]
    body = {"status": 422, "code": "request-invalid", "detail": "wrong in 1 place", "errors": errors, "trace_id": "abc"}

    said = drawn(problem_view(body))

    for needed in ("422 request-invalid", "wrong in 1 place", "/steps/0/tool", "there is no such tool", "abc"):
        assert needed in said


def test_a_refusal_by_policy_shows_its_reasons():
    said = drawn(problem_view({"status": 403, "code": "policy-denied", "reasons": [{"reason": "it is frozen"}]}))

    assert "it is frozen" in said


def test_a_problem_on_this_side_shows_its_faults():
    said = drawn(complaint_view("no", {"file": "x"}, [Fault(pointer="/a", code="missing", detail="is needed")]))

    assert "/a" in said
    assert "is needed" in said


def test_an_empty_page_says_so():
    assert "nothing there" in drawn(plans_view({"data": [], "next_cursor": None}))


def test_a_page_says_how_to_see_the_next():
    assert "--cursor abc" in drawn(plans_view({"data": [a_plan()], "next_cursor": "abc"}))


def test_an_undo_stands_below_its_step():
    said = drawn(execution_view(an_execution("rolled_back", status="succeeded", undo={"status": "succeeded"})))

    assert said.index("git.push") < said.index("↩ s1")


def test_only_what_changed_is_said_again():
    former, now = an_execution("running", status="running"), an_execution("succeeded", status="succeeded")

    assert changes_between(former, now) == ["s1 act git.push: succeeded", "execution: succeeded"]
    assert changes_between(now, now) == []


def test_a_failed_step_says_why():
    failed = an_execution("failed", status="failed", attempts=3, error={"code": "x", "detail": "found 500"})

    assert changes_between({}, failed)[0] == "s1 act git.push: failed (try 3): found 500"


def test_a_line_of_a_tool_is_text():
    line = '{"at": "2026-01-31T10:11:12Z", "step_id": "s1", "phase": "undo", "line": "\\u001b[31m[b]x"}'

    assert line_of(line).plain == "10:11:12 s1 undo      \\u001b[31m[b]x"


def test_the_timeline_keeps_its_order():
    entries = [{"seq": n, "at": "2026-01-31T10:11:12.123456Z", "type": f"E{n}", "said": "x"} for n in (1, 2)]

    said = drawn(timeline_view({"data": entries}))

    assert said.index("E1") < said.index("E2")
    assert "10:11:12.123" in said


def test_a_recipe_says_what_must_be_given():
    recipe = {"name": "scale", "input_schema": {"properties": {"a": {}, "b": {}}, "required": ["a"]}}

    assert "a*, b" in drawn(workflows_view([recipe]))


def test_how_long_something_took_is_unknown_until_it_ended():
    assert seconds_between("2026-01-31T10:00:00Z", "2026-01-31T10:00:01.500000Z") == "1.5 s"
    assert seconds_between("2026-01-31T10:00:00Z", None) == "-"
