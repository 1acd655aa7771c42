"""Pages, ETags and conditions, as every list and every resource has them."""

import pytest
from tests.integration.plans.test_over_http import PLAN


@pytest.fixture
def first(ask):
    """Ask for the first of two pages."""
    for _ in range(3):
        ask("POST", "/v1/plans", PLAN)
    return ask("GET", "/v1/plans?limit=2&status=awaiting_approval")


def test_a_page_links_to_the_next_one(ask, first):
    link = first.headers["link"]

    assert link.endswith('; rel="next"')
    second = ask("GET", link[1 : link.index(">")])
    assert len(first.json()["data"]) == 2
    assert len(second.json()["data"]) == 1
    assert "link" not in second.headers


def test_a_cursor_tells_nothing(first):
    assert first.json()["data"][-1]["plan_id"] not in first.json()["next_cursor"]


def test_a_cursor_holds_for_its_filters_its_list_and_its_tenant_alone(ask, first):
    cursor = first.json()["next_cursor"]
    query = f"cursor={cursor}&limit=1"

    assert ask("GET", f"/v1/plans?status=awaiting_approval&{query}").status_code == 200
    for path, tenant in (
        (f"/v1/plans?{query}", "acme"),
        (f"/v1/plans?status=approved&{query}", "acme"),
        (f"/v1/approvals?{query}", "acme"),
        (f"/v1/plans?status=awaiting_approval&{query}", "rival"),
    ):
        refused = ask("GET", path, tenant=tenant)
        assert (refused.status_code, refused.json()["code"]) == (422, "cursor-invalid")


@pytest.mark.parametrize("forged", ["", "x", "v1.", "plan_0", "A" * 60, "%C3%A4", "=", "v1.----", "v1." + "A" * 900])
def test_a_cursor_that_nobody_gave_out_is_refused(ask, forged):
    refused = ask("GET", f"/v1/plans?cursor={forged}")

    assert (refused.status_code, refused.json()["code"]) == (422, "cursor-invalid")


def test_a_cut_cursor_is_refused(ask, first):
    cursor = first.json()["next_cursor"]

    for cut in (cursor[:-1], cursor[1:], cursor[:10] + cursor[11:], cursor.swapcase()):
        assert ask("GET", f"/v1/plans?status=awaiting_approval&cursor={cut}").status_code == 422


def test_what_was_read_is_not_sent_again(ask):
    plan_id = ask("POST", "/v1/plans", PLAN).json()["plan_id"]
    read = ask("GET", f"/v1/plans/{plan_id}")

    again = ask("GET", f"/v1/plans/{plan_id}", **{"if-none-match": f'W/{read.headers["etag"]}, "x"'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", read.headers["etag"])

    ask("POST", f"/v1/plans/{plan_id}:close", {"reason": "x"})
    whichever = ask("GET", f"/v1/plans/{plan_id}", **{"if-none-match": "*"})
    assert (whichever.status_code, whichever.content) == (304, b"")
    changed = ask("GET", f"/v1/plans/{plan_id}", **{"if-none-match": read.headers["etag"]})
    assert (changed.status_code, changed.json()["status"]) == (200, "closed")


def test_an_answer_names_what_was_read(ask):
    plan = ask("POST", "/v1/plans", PLAN).json()
    body = {"plan_id": plan["plan_id"], "status": "approved", "digest": plan["digest"]}

    missing = ask("POST", "/v1/approvals", body, by="bob", role="approver")
    assert (missing.status_code, missing.json()["code"]) == (428, "precondition-required")

    stale = ask.decide(plan, seen='"something else"')
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")
    assert ask.decide(plan, seen=stale.json()["etag"]).status_code == 201


def test_a_plan_that_was_revised_meanwhile_is_not_the_one_that_was_read(ask):
    plan = ask("POST", "/v1/plans", PLAN).json()
    read = ask("GET", f"/v1/plans/{plan['plan_id']}").headers["etag"]
    revised = ask("POST", f"/v1/plans/{plan['plan_id']}/versions", {**PLAN, "summary": "another"}).json()

    refused = ask.decide(revised, seen=read)

    assert (refused.status_code, refused.json()["code"]) == (412, "precondition-failed")
