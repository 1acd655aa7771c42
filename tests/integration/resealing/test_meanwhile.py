"""Sealing anew while others work, beside another run, and after a run that died."""

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

import pytest
from pydantic import SecretStr
from tests.builders.chat import SECRET, TEAM
from tests.builders.plans import a_call

from carapulse.chatops.model import RegisterWorkspace
from carapulse.chatops.usecases import register_workspace, secret_of
from carapulse.resealing.usecases import reseal_everything

CHANGED = "0" * len(SECRET)
LONG_ENOUGH_S = 0.5  # for whoever isn't kept from a row to have changed it


class Watched:
    """A sealer that does something before it opens."""

    def __init__(self, sealer, before):
        self.sealer, self.before = sealer, before

    def open(self, sealed, purpose):
        self.before()
        return self.sealer.open(sealed, purpose)

    def __getattr__(self, name):
        return getattr(self.sealer, name)


class DiedError(Exception):
    """What no code answers."""


def many(process, count):
    """Give a source that many more credentials, sealed by the newest key of a process."""
    source = process.a_source("busy")["source"]["id"]
    with process.app.begin(a_call()) as work:
        for number in range(count):
            sealed = process.app.sealer.seal("whsec_x", f"acme/{source}/cred_{number:04}")
            work.connection.exec_driver_sql(
                "INSERT INTO source_credentials (tenant, id, source_id, sealed, created_at) VALUES (%s, %s, %s, %s, now())",
                ("acme", f"cred_{number:04}", source, sealed),
            )


def watched(process, before):
    return replace(process.app, sealer=Watched(process.app.sealer, before))


def test_a_secret_that_is_changed_while_its_row_is_sealed_anew_is_the_changed_one_in_the_end(site):
    site.process("k1").put("/v1/chat/workspaces/a", {"kind": "slack", "team_id": TEAM, "signing_secret": SECRET})
    after, call = site.process("k2", "k1"), site.call()
    command = RegisterWorkspace(kind="slack", team_id=TEAM, signing_secret=SecretStr(CHANGED))

    with ThreadPoolExecutor() as others:
        changes = []

        def change():
            changes.append(others.submit(register_workspace, "a", command, call, after.app))
            wait(changes, LONG_ENOUGH_S)

        done = reseal_everything(site.call("installation"), watched(after, change))
        answers = [each.result() for each in changes]

    with after.app.begin(call) as work:
        kept = work.chat_workspaces.named("a")
    assert (done.resealed, len(answers)) == (1, 1)
    assert secret_of(kept, "acme", after.app) == CHANGED


def test_two_runs_at_once_seal_each_row_once_between_them(site):
    many(site.process("k1"), 250)
    runs = [site.process("k2", "k1") for _ in range(2)]

    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda each: each.reseal(), runs))

    assert sum(each.resealed for each in done) == 251
    assert (runs[0].reseal().resealed, runs[0].reseal().left) == (0, 0)


def test_a_run_that_dies_keeps_what_it_has_done_and_the_next_does_the_rest(site):
    many(site.process("k1"), 250)
    after, opened = site.process("k2", "k1"), []

    def die():
        opened.append(1)
        if len(opened) > 150:
            raise DiedError

    with pytest.raises(DiedError):
        reseal_everything(site.call("installation"), watched(after, die))

    assert (after.reseal().resealed, after.reseal().left) == (151, 0)
    assert site.rows("SELECT sum((body ->> 'rows')::int) FROM events WHERE type = 'SecretsResealed'") == [(251,)]
