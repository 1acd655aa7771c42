"""How the demo looks."""

import io

from rich.console import Console

from carapulse.surfaces.demo.claims import Claim
from carapulse.surfaces.demo.stage import Stage, quiet


def a_stage():
    shown = io.StringIO()
    return Stage(Console(file=shown, width=100, markup=False, emoji=False)), shown


def a_claim(*, held=True, seen="200"):
    return Claim("One", "a customer can order", held, seen, 0.1)


def test_each_claim_says_whether_it_held_and_what_was_seen():
    stage, shown = a_stage()

    stage.claim(a_claim())
    stage.claim(a_claim(held=False, seen="500"))

    lines = shown.getvalue().splitlines()
    assert lines == ["  ✔ a customer can order  200", "  ✘ a customer can order  500"]


def test_where_there_is_no_terminal_each_change_is_a_line():
    stage, shown = a_stage()

    with stage.following() as show:
        for status in ("running", "running", "succeeded"):
            show({"status": status, "steps": []}, "customers are content")

    assert shown.getvalue().splitlines() == [
        "    execution: running   (customers are content)",
        "    execution: succeeded   (customers are content)",
    ]


def test_the_end_names_what_did_not_hold():
    stage, shown = a_stage()

    stage.end([a_claim(), a_claim(held=False)], {"ok": False})

    assert "It did not hold: a customer can order" in shown.getvalue()
    assert "1 of 2 claims held" in shown.getvalue()


def test_a_program_that_listens_is_not_disturbed(capsys):
    Stage(quiet()).say("hello")

    assert capsys.readouterr() == ("", "")
