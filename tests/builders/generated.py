"""Builders: a database that has been used for two years, made by the database itself, so that it takes minutes."""

from collections.abc import Callable
from string import Template
from typing import Any

from tests.conftest import Database

BLOCK = 500_000
TENANTS = 20
STREAM = 20  # events in each stream
COVERED = 1_000  # events in each checkpoint
RARE = 20_011  # one event of so many is of the rare kind, by the rare actor

# Stream, tenant, kind and actor of event n follow from n; the last event is an hour old and the first two years.
_EVENTS = """
INSERT INTO events (position, tenant, stream, seq, id, type, at, actor, trace, body, prev, hash)
SELECT n, 'tenant_' || (n - 1) / $stream % $tenants, 'plan_' || (n - 1) / $stream, (n - 1) % $stream + 1, 'event_' || n,
    CASE WHEN n % $rare = 0 THEN 'PlanClosed' WHEN n % $stream = 1 THEN 'PlanDrafted'
        ELSE (ARRAY['StepStarted', 'StepFinished', 'PolicyDecided', 'ApprovalDecided'])[n % 4 + 1] END,
    now() - interval '1 hour' - ($last - n) * (interval '2 years' / $last),
    CASE WHEN n % $rare = 0 THEN 'auditor' ELSE 'actor_' || n % 50 END, repeat('0', 32),
    jsonb_build_object('step_id', 'step_' || n % 10, 'digest', 'sha256:' || repeat('a', 64), 'output', md5(n::text)),
    CASE WHEN n % $stream = 1 THEN '' ELSE 'sha256:' || md5((n - 1)::text) || md5((n - 1)::text) END,
    'sha256:' || md5(n::text) || md5(n::text)
FROM generate_series(CAST($first AS bigint), CAST($until AS bigint)) n
"""
_LEAVES = """
INSERT INTO checkpoint_leaves (position, checkpoint, leaf, hash)
SELECT n, (n - 1) / $covered + 1, (n - 1) % $covered, 'sha256:' || md5(n::text) || md5(n::text)
FROM generate_series(CAST($first AS bigint), CAST($until AS bigint)) n
"""
_HEADS = """
INSERT INTO streams (tenant, stream, seq, hash)
SELECT 'tenant_' || n % $tenants, 'plan_' || n, $stream, 'sha256:' || md5(((n + 1) * $stream)::text)
FROM generate_series(0, $last / $stream - 1) n
"""
_CHECKPOINTS = """
INSERT INTO checkpoints (number, size, root, previous, at, note, horizon, cluster)
SELECT n, $covered, 'root', CASE WHEN n = 1 THEN 'none' ELSE 'sha256:' || md5(n::text) END, now(), E'text\\n\\nsigned',
    pg_snapshot_xmin(pg_current_snapshot()), (SELECT system_identifier FROM pg_control_system())
FROM generate_series(1, $last / $covered) n
"""
_EXECUTIONS = """
INSERT INTO executions (tenant, id, plan_id, status, state, started_at, finished_at)
SELECT 'tenant_' || n % $tenants, first_execution_of(week_of(now())) || lpad(n::text, 20, '0'), 'plan_' || n,
    'succeeded', '{}', now(), now()
FROM generate_series(1, $last / $stream) n
"""
_OUTPUTS = """
INSERT INTO step_outputs (tenant, execution_id, step_id, phase, fence, digest, output, text, truncated)
SELECT tenant, id, 'step_' || n, 'run', 1, 'sha256:x', '{"lit": true}', '', false
FROM executions, generate_series(1, 2) n
"""
_LINES = """
INSERT INTO step_lines (tenant, execution_id, n, step_id, phase, at, line)
SELECT tenant, id, n, 'step_1', 'run', now(), 'line ' || n FROM executions, generate_series(1, 5) n
"""
_MESSAGES = """
INSERT INTO messages (id, tenant, queue, type, body, actor, trace, available_at, dead_at)
SELECT 'message_' || n, 'tenant_' || n % $tenants, CASE n % 2 WHEN 0 THEN 'lamps' ELSE 'others' END, 'Any', '{}', '{}', '',
    now() + interval '1 day' * CASE n % 4 WHEN 1 THEN -1 ELSE 1 END, CASE n % 4 WHEN 0 THEN now() END
FROM generate_series(1, $last / 5) n
"""


def _written(statement: str, **numbers: int) -> str:
    constants = {"stream": STREAM, "tenants": TENANTS, "rare": RARE, "covered": COVERED}
    return Template(statement).substitute(constants | numbers)


def fill(database: Database, events: int, said: Callable[[int], object] = bool) -> None:
    """Fill a new database with so many events, a multiple of a thousand, and everything that comes with them."""
    with database.as_superuser() as connection:
        run = connection.run
        run("SET session_replication_role = replica")  # nothing that is made here refers to nothing
        for first in range(1, events + 1, BLOCK):
            until = min(first + BLOCK - 1, events)
            run(f"SELECT setval('events_position_seq', {until})")
            run("SELECT make_partitions()")
            for statement in (_EVENTS, _LEAVES):
                run(_written(statement, first=first, until=until, last=events))
            said(until)
        for statement in (_HEADS, _CHECKPOINTS, _EXECUTIONS, _OUTPUTS, _LINES, _MESSAGES):
            run(_written(statement, last=events))
        _look_at(run)


def _look_at(run: Callable[[str], Any]) -> None:
    """Collect the planner's statistics as autovacuum does: of tables with rows in them, never of their parents."""
    for (name,) in run(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    ):
        run(f"VACUUM ANALYZE {name}")
