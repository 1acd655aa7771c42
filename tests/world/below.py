"""A database with rows in every table, as the program's own role sees it: for what must hold below the API."""

import json
from contextlib import contextmanager
from dataclasses import replace

import pg8000.native
from pg8000.exceptions import DatabaseError
from tests.world.rig import a_call, act, check
from tests.world.site import BODIES

from carapulse.adapters.embedded.database import APP
from carapulse.executions.consumers import go_on
from carapulse.executions.messages import AdvanceExecution

BY_HAND = {
    "event_archives": "INSERT INTO event_archives VALUES ('acme', 1, 1, 1, 'sha256:0', 'sha256:0', now())",
    "run_leases": "INSERT INTO run_leases VALUES ('lease_1', 'acme', 'execution_1', now() + interval '1 hour')",
    "machines": "INSERT INTO machines SELECT 'acme', min(id), 1, 'x', true, false, now(), now() FROM plans",
    "machine_waits": "INSERT INTO machine_waits SELECT 'acme', 'w', min(id), 'AwaitStart', NULL, 'x', now() FROM plans",
    "schedule_runs": "INSERT INTO schedule_runs SELECT 'acme', min(id), now(), now(), 'due', 'plan_1' FROM schedules",
    "live_connections": "INSERT INTO live_connections VALUES ('acme', 'c', '{\"tenant\": \"acme\"}', '{}', 1, NULL, 0, NULL,"
    " now(), now(), 0, NULL, 0, 0, now(), NULL)",
}
"""Rows as the program puts them: of archives, before which months pass, of leases, which end with a worker's turn, of
schedules that came due, and of machines and sockets that a gateway holds, which only a cloud has."""


class Walls:
    """A database with rows of acme in every table, as the program's own role sees it."""

    def __init__(self, database):
        self.database = database
        self.app = pg8000.native.Connection(APP, unix_sock=str(database.server.socket), database=database.name)
        with database.as_superuser() as connection:
            self.tables = [
                name
                for (name,) in connection.run(
                    "SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid WHERE attname = 'tenant'"
                    " AND relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace ORDER BY 1"
                )
            ]
            self.rows = {name: self._row(connection, name) for name in self.tables}
            self.columns = {name: self._columns(connection, name) for name in self.tables}

    def _row(self, connection, table):
        found = connection.run(f"SELECT to_jsonb(t) FROM {table} t WHERE tenant = 'acme' LIMIT 1")
        return found[0][0] if found else None

    def _columns(self, connection, table):
        query = """SELECT attname FROM pg_attribute WHERE attrelid = CAST(:t AS regclass) AND attnum > 0
            AND NOT attisdropped AND attgenerated = '' AND attidentity <> 'a'"""
        return [name for (name,) in connection.run(query, t=table)]

    @contextmanager
    def within(self, tenant):
        """Speak as the program within a tenant, and take everything back."""
        self.app.run("BEGIN")
        try:
            self.app.run("SELECT set_config('carapulse.tenant', :tenant, true)", tenant=tenant)
            yield self.attempt
        finally:
            self.app.run("ROLLBACK")

    def attempt(self, statement, **given):
        """Return how many rows a statement touched or gave, or by which SQLSTATE and constraint it was refused."""
        self.app.run("SAVEPOINT attempt")
        try:
            found = self.app.run(statement, **given)
        except DatabaseError as error:
            self.app.run("ROLLBACK TO SAVEPOINT attempt")
            return error.args[0]["C"], error.args[0].get("n")
        touched = len(found) if found else max(self.app.row_count, 0)
        self.app.run("ROLLBACK TO SAVEPOINT attempt")
        return touched, None

    def insertion(self, table, **changed):
        """Return the statement that puts a row of acme in again, and the row."""
        names = ", ".join(f'"{name}"' for name in self.columns[table])
        row = json.dumps({**self.rows[table], **changed})
        return f"INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_populate_record(NULL::{table}, :row)", row

    def looked_up(self, query, **given):
        with self.database.as_superuser() as connection:
            return [tuple(row) for row in connection.run(query, **given)]


def fill(site):
    """Do what Site didn't: rows in every table that something which can be asked for leaves one in."""
    by = site.token()
    rig = site.rig
    waiting = site.ask(
        "POST /v1/plans", by, body=BODIES["POST /v1/plans"] | {"context": {"environment": "prod"}}
    ).json()
    (asked,) = [
        each for each in site.ask("GET /v1/approvals", by).json()["data"] if each["plan_id"] == waiting["plan_id"]
    ]
    seen = {"approval_id": asked["id"]}
    assert site.ask("POST /v1/approvals/{approval_id}:delegate", site.token(by="grace"), seen).is_success
    assert site.ask("POST /v1/live:ticket", by).is_success
    assert site.ask("POST /v1/channels/{name}:test", by).is_success
    nodes = [{"id": name, "kind": "service", "name": name} for name in ("hall", "attic")]
    edges = [{"from": "hall", "to": "attic", "relation": "contains"}]
    report = {"source": "cmdb", "nodes": nodes, "edges": edges}
    assert site.ask("POST /v1/context:refresh", by, body=report).is_success
    speak = {"stage": "diagnose", "tool": "nasty", "action": "read", "input": {"then": "sys.stderr.write('hello\\n')"}}
    rig.run(speak)
    one_step = rig.app.settings.model_copy(update={"turn_s": 0.0})
    begun = rig.start(rig.plan(act("switch", "cellar"), check("cellar")))
    go_on(AdvanceExecution(execution_id=begun), a_call(), replace(rig.app, settings=one_step))
    with rig.app.begin(a_call()) as work:
        for statement in BY_HAND.values():
            work.connection.exec_driver_sql(statement)
