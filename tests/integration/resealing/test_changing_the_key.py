"""The sealing key of an installation is changed while it works: nothing is lost, and in the end the former key goes."""

from uuid import UUID

import pytest
from tests.builders.plans import a_call

from carapulse.broker.envelope import MessageForged, opened, sealed
from carapulse.broker.ports import Ready
from carapulse.kernel.errors import Unavailable
from carapulse.orchestration.model import Change, Machine
from carapulse.orchestration.reference import reference, said
from carapulse.resealing.model import FormerKey
from carapulse.resealing.places import PLACES


def a_message(at):
    return Ready("message_1", str(UUID(int=1)), "acme", "planning", "PlanAlert", "alert_1", "0" * 32, at, 0.0)


def links(answer):
    return answer.headers["link"].partition(">")[0][1:]


def test_what_was_sealed_and_marked_by_a_former_key_goes_on_working(site):
    before = site.process("k1")
    plan, source, key = site.filled(before)
    before.an_api_key("another")
    cursor = links(before.ask("GET", "/v1/api-keys?limit=1"))

    after = site.process("k2", "k1")

    assert after.report(source, "msg_1") == 202
    assert after.plan("a-plan") == plan
    assert after.me(key) == 200
    assert after.ask("GET", cursor).status_code == 200
    assert after.ring(plan["plan_id"]) == ["a-token"]


def test_without_the_former_key_nothing_opens_and_nobody_is_told_more_than_that_a_key_is_missing(site):
    plan, source, key = site.filled(site.process("k1"))

    other = site.process("k2")

    assert other.report(source, "msg_1") == 503
    assert other.me(key) == 401
    assert other.ask("GET", "/v1/me", bearer=key).json()["code"] == "token-refused"
    with pytest.raises(Unavailable, match="CARAPULSE_FORMER_SEALING_KEYS"):
        other.ring(plan["plan_id"])


def test_once_everything_is_sealed_anew_the_former_key_can_go_and_all_but_cursors_still_work(site):
    before = site.process("k1")
    plan, source, key = site.filled(before)
    before.an_api_key("another")
    cursor = links(before.ask("GET", "/v1/api-keys?limit=1"))
    kept = before.opened()

    after = site.process("k2", "k1")
    first = after.reseal()
    after.me(key)
    ((other_key,),) = site.rows("SELECT id FROM api_keys WHERE name = 'another'")
    after.ask("POST", f"/v1/api-keys/{other_key}:revoke", {"reason": "nobody uses it"})
    second = after.reseal()
    alone = site.process("k2")

    assert all(kept.values())
    assert (first.unreadable, first.left, first.former[0].sealed, first.former[0].api_keys) == (0, 0, 0, 2)
    assert first.resealed == sum(map(len, kept.values())) + 1  # the other tenant's
    assert not first.former[0].may_go
    assert second.former[0].may_go
    assert alone.opened() == after.opened()
    assert alone.report(source, "msg_1") == 202
    assert alone.plan("a-plan") == plan
    assert alone.me(key) == 200
    assert alone.ring(plan["plan_id"]) == ["a-token"]
    assert alone.ask("GET", cursor).json()["code"] == "cursor-invalid"


def test_an_api_key_gets_the_newest_mark_at_its_next_use_and_not_when_somebody_only_tries_it(site):
    text = site.process("k1").an_api_key("deployer")
    after = site.process("k2", "k1")

    after.me(text[:-1] + ("a" if text[-1] != "a" else "b"))
    tried = site.rows("SELECT marked_by, last_used_at IS NULL FROM api_keys")
    after.me(text)
    used = site.rows("SELECT marked_by, last_used_at IS NULL FROM api_keys")

    assert tried == [(after.app.sealer.former_ids[0], True)]
    assert used == [(after.app.sealer.newest, False)]
    assert site.process("k2").me(text) == 200


def test_a_key_that_was_marked_before_marks_were_noted_counts_for_every_former_key_until_it_is_used(site):
    text = site.process("k1").an_api_key("deployer")
    with site.database.as_superuser() as connection:
        connection.run("UPDATE api_keys SET marked_by = NULL")
    after = site.process("k2", "k1", "k3")

    before_use = [each.api_keys for each in after.reseal().former]
    after.me(text)

    assert before_use == [1, 1]
    assert [each.may_go for each in after.reseal().former] == [True, True]


def test_processes_understand_each_other_while_a_key_is_listed_first_and_made_the_newest_then(site):
    older, listing, newest = site.process("k1"), site.process("k1", "k2"), site.process("k2", "k1")
    source, key = newest.a_source("made-by-the-newest"), newest.an_api_key("made-by-the-newest")
    of_older = older.a_source("made-by-the-older")

    assert [each.report(source, f"msg_{n}") for n, each in enumerate([listing, newest])] == [202, 202]
    assert [each.report(of_older, f"msg_{n}") for n, each in enumerate([older, listing, newest])] == [202, 202, 202]
    assert [each.me(key) for each in (listing, newest, listing)] == [200, 200, 200]
    assert older.report(source, "msg_9") == 503  # which is why the first step has to be over everywhere


def test_resealing_goes_on_where_it_was_and_passes_over_what_somebody_holds(site):
    before = site.process("k1")
    for number in range(3):
        before.a_source(f"source-{number}")
    after = site.process("k2", "k1")

    with before.app.begin(site.call()) as work:
        work.connection.exec_driver_sql("SELECT 1 FROM source_credentials LIMIT 1 FOR UPDATE")
        held = after.reseal()
    free = after.reseal()

    assert (held.resealed, held.left, held.former[0].sealed) == (2, 1, 1)
    assert (free.resealed, free.left) == (1, 0)
    assert after.reseal().resealed == 0


def test_more_rows_than_fit_into_one_transaction_are_all_sealed_anew_and_each_transaction_says_so(site):
    before = site.process("k1")
    source = before.a_source("busy")
    with before.app.begin(a_call()) as work:
        for number in range(250):
            purpose = f"acme/{source['source']['id']}/cred_{number:04}"
            work.connection.exec_driver_sql(
                "INSERT INTO source_credentials (tenant, id, source_id, sealed, created_at) VALUES (%s, %s, %s, %s, now())",
                ("acme", f"cred_{number:04}", source["source"]["id"], before.app.sealer.seal("whsec_x", purpose)),
            )
    after = site.process("k2", "k1")

    done = after.reseal()

    told = site.rows("SELECT body ->> 'rows' FROM events WHERE type = 'SecretsResealed' ORDER BY seq")
    assert (done.resealed, done.left) == (251, 0)
    assert told == [("100",), ("100",), ("51",)]


def test_a_row_that_no_listed_key_opens_stays_as_it_is_and_keeps_no_other_from_being_sealed_anew(site):
    site.process("k3").a_source("lost")
    site.process("k1").a_source("kept")
    lost = site.rows("SELECT sealed FROM source_credentials")

    done = site.process("k2", "k1").reseal()

    assert (done.resealed, done.unreadable, done.left) == (1, 1, 1)
    assert done.former[0].may_go  # what is unreadable is another key's
    assert set(lost) & set(site.rows("SELECT sealed FROM source_credentials"))


def a_running_machine(site, process, *, added_by):
    """Note a machine that one process added and another one, or the same, started; return its plan's id."""
    plan_id = process.plan("signed")["plan_id"]
    machine = Machine(plan_id=plan_id, generation=1, trace="x", started=False, ended=False)
    with process.app.begin(site.call()) as work:
        work.machines.add(machine, added_by.app.sealer.newest)
        work.machines.started(plan_id, 1, process.app.sealer.newest)
    return plan_id


def test_a_machine_that_runs_needs_the_key_that_signed_it_until_it_has_ended(site):
    before, after = site.process("k1"), site.process("k2", "k1")
    plan_id = a_running_machine(site, before, added_by=before)

    running = after.reseal()
    with after.app.begin(site.call()) as work:
        work.machines.ended(plan_id, 1)
    ended = after.reseal()

    assert (running.former[0].machines, running.former[0].may_go) == (1, False)
    assert (ended.former[0].machines, ended.former[0].may_go) == (0, True)


def test_a_machine_that_two_processes_may_have_started_counts_for_every_former_key(site):
    before, after = site.process("k1"), site.process("k2", "k1")
    a_running_machine(site, before, added_by=after)

    assert after.reseal().former[0].machines == 1


def test_what_a_machine_and_a_broker_carry_is_believed_under_a_former_key_and_no_other(site):
    before, after, other = site.process("k1").app.sealer, site.process("k2", "k1").app.sealer, site.process("k3")
    change = Change(tenant="acme", plan_id="plan_1", generation=1, trace="0" * 32)
    asking = {"change": reference(change, before), "asked": "Decide", "token": "t"}
    of_broker = sealed(a_message(site.clock.now()), before)

    assert said(asking, after).change == change
    assert opened(of_broker, after).id == "message_1"
    with pytest.raises(MessageForged):
        said(asking, other.app.sealer)
    with pytest.raises(MessageForged):
        opened(of_broker, other.app.sealer)


def test_what_was_sealed_before_keys_had_names_counts_for_every_former_key_until_it_is_sealed_anew(site):
    source = site.process("k1").a_source("old")
    with site.database.as_superuser() as connection:
        connection.run("UPDATE source_credentials SET sealed = 'v1.' || split_part(sealed, '.', 3)")
    after = site.process("k2", "k1", "k3")

    kept = [FormerKey.of(key, after.app.sealing_book.kept()).sealed for key in after.app.sealer.former_ids]
    works = after.report(source, "msg_1")
    done = after.reseal()

    assert (kept, works) == ([1, 1], 202)
    assert (done.resealed, done.left, [each.may_go for each in done.former]) == (1, 0, [True, True])


def test_every_place_is_counted_and_each_under_its_own_name(site):
    process = site.process("k1")
    site.filled(process)

    counted = {each.place for each in process.app.sealing_book.kept()}

    assert counted == {*PLACES, "api_keys.mark"}
