"""The embedded Rego engine: what it refuses to load, and how it answers what is hard to answer."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.builders.policy import POLICIES, a_question, the_engine

from carapulse.adapters.rego.engine import RegopyEngine
from carapulse.adapters.rego.interpreter import CompiledRules
from carapulse.adapters.rego.sources import read_sources
from carapulse.kernel.errors import Invalid, Unavailable
from carapulse.policy.errors import UnsoundPolicy
from carapulse.policy.usecases import judge


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(POLICIES, tmp_path / "policies"))


def rules(source: str) -> CompiledRules:
    return CompiledRules({"t.rego": f"package t\n\n{source}\n"}, {}, ["t/x"])


def add_guard(folder: Path, body: str) -> None:
    (folder / "guards" / "new").mkdir()
    (folder / "guards" / "new" / "new.rego").write_text(f"package carapulse.guards.new\n\n{body}\n")


def tune(folder: Path, name: str, **values: object) -> None:
    file = folder / "data" / f"{name}.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def test_w_p03_without_policies_there_is_no_engine(tmp_path):
    with pytest.raises(UnsoundPolicy, match="no policies here"):
        RegopyEngine(tmp_path)


def test_w_p04_without_a_folder_there_is_no_engine(tmp_path):
    with pytest.raises(UnsoundPolicy, match="no policies here"):
        RegopyEngine(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ('net.cidr_contains("10.0.0.0/8", input.address)', "net.cidr_contains"),
        ('http.send({"method": "get", "url": "http://127.0.0.1"}).status_code == 200', "http.send"),
        ("time.now_ns() > 0", "time.now_ns"),
        ('time.parse_rfc3339_ns("2026-01-01T00:00:00Z") > 0', "time.parse_rfc3339_ns"),
        ('rand.intn("x", 2) == 0', "rand.intn"),
        ('opa.runtime().env.HOME != ""', "opa.runtime"),
        ("io.jwt.decode(input.token)", "io.jwt.decode"),
        ("no_such_function(1)", "no_such_function"),
        ("data.carapulse.facts.no_such_function(1)", "data.carapulse.facts.no_such_function"),
    ],
)
def test_a_guard_that_calls_what_is_not_on_the_list_is_refused(folder, call, name):
    add_guard(folder, f'deny contains "no" if {{ {call} }}')

    with pytest.raises(UnsoundPolicy) as raised:
        RegopyEngine(folder)

    assert raised.value.facts["calls"] == (name,)


def test_a_call_hidden_in_a_rule_that_nothing_uses_is_refused():
    with pytest.raises(UnsoundPolicy, match=r"net\.cidr_contains"):
        rules('x := 1\n\nunused := [y | some y in [1]; net.cidr_contains("10.0.0.0/8", "10.0.0.1")]')


@pytest.mark.parametrize(
    "body",
    [
        "every risk in data.x { input.plan.risk == risk }",
        'every risk in data.x { input.plan["risk"] == risk }',
        "every one in data.x { risk := one\n input.plan.risk == risk }",
        'every one in ["x"] { some risk in one\n input.plan.risk == risk }',
        'every key, risk in {"a": 1} { input.plan.risk == risk }',
        "every one in data.x { every two in data.y { one == two } }",
    ],
)
def test_a_guard_that_the_engine_would_misread_is_refused(folder, body):
    add_guard(folder, f'deny contains "no" if {{ {body} }}')

    with pytest.raises(UnsoundPolicy, match="every"):
        RegopyEngine(folder)


def test_a_guard_that_only_looks_like_it_is_not(folder):
    add_guard(
        folder,
        'deny contains "risk" if { every level in {"a", "b"} { input.plan["risk"] == level } } # every risk .risk',
    )

    assert RegopyEngine(folder)


def test_rules_that_do_not_parse_are_refused(folder):
    add_guard(folder, "deny contains if {")

    with pytest.raises(UnsoundPolicy, match="do not compile"):
        RegopyEngine(folder)


@pytest.mark.parametrize(
    "decision",
    [
        'decision := {"outcome": "allow", "reasons": [{"guard": "g", "reason": "r"}], "approvals_required": 0, "obligations": {}}',
        'decision := {"outcome": "deny", "reasons": [{"guard": "g", "reason": "r"}], "approvals_required": 0, "obligations": {}}',
        'decision := "allow"',
        "decision := input.nothing",
        "verdict := 1",
    ],
)
def test_w_p25_rules_that_fail_the_questions_everybody_can_answer_do_not_start(folder, decision):
    (folder / "decision.rego").write_text(f"package carapulse\n\n{decision}\n")

    with pytest.raises(UnsoundPolicy, match="self-test"):
        RegopyEngine(folder)


@pytest.mark.parametrize("guard", ["known_actor", "tenant_match", "known_environment", "write_role"])
def test_w_p25_a_missing_guard_is_noticed_at_the_start(folder, guard):
    shutil.rmtree(folder / "guards" / guard)

    with pytest.raises(UnsoundPolicy, match="self-test"):
        RegopyEngine(folder)


@pytest.mark.parametrize(
    ("file", "values", "pointer"),
    [
        ("limits", {"limits": {"production_targets": 10, "default_targets": 50}}, "/limits/most_targets"),
        (
            "limits",
            {"limits": {"production_targets": -1, "default_targets": 5, "most_targets": 5}},
            "/limits/production_targets",
        ),
        (
            "calendar",
            {"freezes": [{"environment": "prod", "from": 1, "until_unix": 2, "reason": ""}]},
            "/freezes/0/from_unix",
        ),
        (
            "calendar",
            {"freezes": [{"environment": "prod", "from_unix": 2, "until_unix": 2, "reason": ""}]},
            "/freezes/0",
        ),
        ("calendar", {"freezes": [{"environment": "prd", "from_unix": 1, "until_unix": 2, "reason": ""}]}, ""),
        ("calendar", {"windows": None}, "/windows"),
        ("environments", {"environments": {}}, "/environments"),
        ("environments", {"environments": {"prod": {}}}, "/environments/prod/production"),
        ("actions", {"actions": {"without_plan": ["plan.execute"]}}, "/actions"),
        ("calendar", {"surprise": 1}, "/surprise"),
    ],
)
def test_data_with_a_fault_are_refused_and_the_fault_is_named(folder, file, values, pointer):
    tune(folder, file, **values)

    with pytest.raises(UnsoundPolicy) as raised:
        RegopyEngine(folder)

    assert pointer in {fault.pointer for fault in raised.value.faults}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"freezes": [], "freezes": [], "windows": []}'])
def test_a_data_file_that_is_not_one_clear_object_is_refused(folder, text):
    (folder / "data" / "calendar.json").write_text(text)

    with pytest.raises(UnsoundPolicy):
        RegopyEngine(folder)


def test_two_files_that_say_the_same_thing_are_refused(folder):
    (folder / "data" / "more.json").write_text('{"limits": {}}')

    with pytest.raises(UnsoundPolicy, match="the same thing"):
        RegopyEngine(folder)


def test_every_file_that_decides_is_in_the_digest_and_tests_are_not(folder):
    before = read_sources(folder).digest
    (folder / "guards" / "known_actor" / "known_actor_test.rego").write_text(
        "package carapulse_test.guards.known_actor\n"
    )
    untouched = read_sources(folder).digest
    tune(folder, "limits", limits={"production_targets": 9, "default_targets": 50, "most_targets": 500})
    tuned = read_sources(folder).digest
    add_guard(folder, "")
    extended = read_sources(folder).digest

    assert before == untouched
    assert len({before, tuned, extended}) == 3


@pytest.mark.parametrize(
    "text",
    [
        'a"b',
        "a\\b",
        "a\nb",
        "\x00",
        "a\x00b",
        "\x1b[31m",
        "日本",
        "😀",
        "\u2028",
        "\\u0041",
        '"}],"outcome":"allow',
        "%s",
    ],
)
def test_text_goes_through_unchanged(text):
    echo = rules('x := [input.value, sprintf("<%s>", [input.value])]')

    assert echo.ask("t/x", {"value": text}) == [text, f"<{text}>"]


def test_texts_that_differ_after_a_nul_are_different():
    compare = rules("default x := false\n\nx if input.one == input.other")

    assert compare.ask("t/x", {"one": "ada", "other": "ada\x00eve"}) is False


@pytest.mark.parametrize("number", [0, -1, 2**53 + 1, 2**63 - 1, -(2**63)])
def test_integers_go_through_exactly(number):
    assert rules("x := input.value").ask("t/x", {"value": number}) == number


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, object(), b"bytes"])
def test_what_would_be_cut_is_refused(value):
    with pytest.raises(Invalid):
        rules("x := input.value").ask("t/x", {"value": value})


def test_what_is_undefined_is_no_answer():
    assert rules("x := input.nothing").ask("t/x", {}) is None


def test_rules_that_contradict_each_other_can_not_be_asked():
    two_minds = rules("x := 1 if input.value\n\nx := 2 if input.value")

    with pytest.raises(Unavailable):
        two_minds.ask("t/x", {"value": True})


def test_an_entry_point_that_is_not_there_can_not_be_asked():
    with pytest.raises(Unavailable):
        rules("x := 1").ask("t/y", {})


def test_threads_get_the_answers_to_their_own_questions():
    questions = [a_question(roles=(role,)) for role in ("operator", "viewer") * 40]

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda question: judge(question, the_engine()).outcome, questions))

    assert outcomes == ["allow", "deny"] * 40


DECISION = (POLICIES / "decision.rego").read_text()


def combined(**guards: str) -> dict[str, object]:
    modules = {f"{name}.rego": f"package carapulse.guards.{name}\n\n{body}\n" for name, body in guards.items()}
    answer = CompiledRules({"decision.rego": DECISION, **modules}, {}, ["carapulse/decision"]).ask(
        "carapulse/decision", {}
    )
    assert isinstance(answer, dict)
    return answer


GRANT = 'grant contains "yes"'
ASK = 'approvals contains {"count": 2, "reason": "look"}\n\napprovals contains {"count": 1, "reason": "see"}'


def test_a_denial_wins_over_grants_and_approvals():
    answer = combined(a=GRANT, b=ASK, c='deny contains "no"')

    assert answer == {
        "outcome": "deny",
        "reasons": [{"guard": "c", "reason": "no"}],
        "approvals_required": 0,
        "obligations": {},
    }


def test_what_nobody_grants_is_denied():
    assert combined(b=ASK)["outcome"] == "deny"
    assert combined(b="nothing := 1")["reasons"] == [{"guard": "decision", "reason": "nothing grants this"}]


def test_the_guard_that_wants_most_approvals_has_its_way():
    answer = combined(a=GRANT, b=ASK, c='approvals contains {"count": 0, "reason": "not me"}')

    assert (answer["outcome"], answer["approvals_required"]) == ("require_approval", 2)
    assert answer["reasons"] == [{"guard": "b", "reason": "look"}, {"guard": "b", "reason": "see"}]


def test_a_grant_alone_allows_and_duties_come_along():
    answer = combined(a=GRANT, b='obligations.tell := {"who": "security"}')

    assert (answer["outcome"], answer["obligations"]) == ("allow", {"tell": {"who": "security"}})
