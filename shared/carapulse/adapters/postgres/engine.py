"""Connections to Postgres, with limits, and its errors as ours."""

import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pg8000.exceptions import DatabaseError, InterfaceError
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from carapulse.adapters.postgres.address import parse_address
from carapulse.adapters.postgres.door import Door, opening
from carapulse.adapters.postgres.driver import open_connection
from carapulse.adapters.postgres.looking import Question, Rows
from carapulse.kernel.errors import Conflict, Invalid, Problem, Unavailable

_BIND = text("SELECT set_config('carapulse.tenant', :tenant, true)")
_STRENGTH = text(
    "SELECT rolsuper OR rolbypassrls AS strong,"
    " EXISTS (SELECT FROM pg_class WHERE relname = 'events' AND pg_has_role(pg_roles.oid, relowner, 'MEMBER')) AS owns"
    " FROM pg_roles WHERE rolname = current_user"
)
TIMEOUTS = {"statement_timeout": "15s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "60s"}
_RESTS_SINCE = "rests_since"
_RESTED_S = 5.0  # whoever has rested for longer may have been forgotten by what lies between, and is asked
PATIENCE_S = 30.0  # longer than any statement may take
_RETRY_CODES = {"40001", "40P01", "55P03", "25006", "25P03"}  # serialization, deadlock, locked, read only, idled
_UNAVAILABLE_CLASSES = {"08", "53", "57", "58"}  # connection, resources, operator intervention, system
_REFUSED_CLASSES = {"28", "3D"}  # authorization, no such database
_CONFLICT_CODES = {"23505"}  # unique violation
_FORGOTTEN_CODES = {"26000", "42P05"}  # a prepared statement that is not there, or is already


def connect(
    where: str | Door, *, pool_size: int = 8, timeouts: dict[str, str] | None = None, patience_s: float = PATIENCE_S
) -> Engine:
    """Return an engine for an address `postgresql://…`; nothing is connected yet. Invalid if it is none.

    A Unix socket is named by `?unix_sock=PATH`, TLS is asked for by `?sslmode=…` as libpq names it (default `prefer`).
    Timeouts are set on every connection, or behind a pooler in every transaction, for the server to hold to. One that
    hangs is given up after `patience_s`.
    """
    door, settings = Door.at(where), TIMEOUTS if timeouts is None else timeouts
    address, _ = parse_address(door.address())
    engine = create_engine(
        address.set(password=None),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=10,
    )

    @event.listens_for(engine, "do_connect")
    def dial(*_: object) -> Any:  # noqa: ANN401 - the driver's connection is untyped
        return open_connection(door, patience_s, opening(settings) if door.pooled else None)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's connection is untyped
        if door.pooled:
            return
        cursor = connection.cursor()
        for name, value in settings.items():
            cursor.execute(f"SET {name} = '{value}'")
        connection.commit()

    _look_after(engine)
    return engine


def _look_after(engine: Engine) -> None:
    """Let nobody have a connection that was lost while it rested, and none that is still bound to a tenant."""

    @event.listens_for(engine, "checkout")
    def greet(connection: Any, record: Any, _proxy: object) -> None:  # noqa: ANN401 - the driver's connection is untyped
        rests_since = record.info.get(_RESTS_SINCE)  # None if nobody has had it yet
        is_fresh = rests_since is None or time.monotonic() - rests_since < _RESTED_S
        if is_fresh and connection.is_quiet():
            return
        try:
            connection.ask()
        except (DatabaseError, InterfaceError, OSError) as error:
            if rests_since is None:
                raise  # told to replace a second one, the pool gives up with an error that says nothing
            raise DisconnectionError("the connection was lost while nobody had it") from error

    @event.listens_for(engine, "checkin")
    def rest(connection: Any, record: Any) -> None:  # noqa: ANN401 - as above
        record.info[_RESTS_SINCE] = time.monotonic()
        if connection is not None:
            connection.bind(None)


def refuse_strong_role(engine: Engine) -> None:
    """Stop a start whose role could step over the walls between tenants, or change the log, or become one that can."""
    with translated(), engine.connect() as connection:
        row = connection.execute(_STRENGTH).one()
    if row.strong or row.owns:
        raise Invalid("the program must not run as a role that owns its tables or bypasses row-level security")


def bind_tenant(connection: Connection, tenant: str) -> None:
    """Let the rest of this transaction, or all of the one that begins now, see one tenant's rows, and no other's."""
    raw: Any = connection.connection.dbapi_connection
    if not raw.bind(tenant):
        connection.execute(_BIND, {"tenant": tenant})


def look(engine: Engine, tenant: str, questions: Sequence[Question]) -> list[Rows]:
    """Return what some questions find among one tenant's rows, in one turn and one transaction. Raises our families."""
    with translated():
        held = engine.raw_connection()
        try:
            connection: Any = held.driver_connection
            found: list[Rows] = connection.look(tenant, questions)
        except (InterfaceError, OSError):
            held.invalidate()
            raise
        finally:
            held.close()
    return found


@contextmanager
def translated() -> Iterator[None]:
    """Raise our families for what the driver raises; a database error that no caller can answer is a bug and passes."""
    try:
        yield
    except (PoolTimeout, DBAPIError, DatabaseError, InterfaceError, OSError) as error:
        problem = problem_of(error)
        if problem is None:
            raise
        raise problem from error


def problem_of(error: BaseException) -> Problem | None:
    """Return Unavailable where waiting helps, Conflict where reading again does, and None for anything else."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, PoolTimeout):
        return Unavailable("no database connection was free in time")
    if isinstance(cause, ssl.SSLError):
        return Unavailable(f"no encrypted connection to the database: {cause.reason}")
    if isinstance(cause, (InterfaceError, OSError)):
        return Unavailable("the database did not answer")
    facts = cause.args[0] if isinstance(cause, DatabaseError) and cause.args else {}
    return _problem_of_answer(facts) if isinstance(facts, dict) else None


def _problem_of_answer(facts: dict[str, str]) -> Problem | None:
    """Judge what the server answered: `C` is the SQLSTATE, `M` its words, `n` a constraint."""
    code = facts.get("C", "")
    if code[:2] in _REFUSED_CLASSES:
        return Unavailable(f"the database refused the connection: {facts['M']}", sqlstate=code)
    if code in _FORGOTTEN_CODES:
        return Unavailable(
            "a pooler changes sessions between transactions: set CARAPULSE_DATABASE_POOLED", sqlstate=code
        )
    if code in _CONFLICT_CODES:
        return Conflict("this was already done, or is being done", constraint=facts.get("n", ""))
    if code in _RETRY_CODES or code[:2] in _UNAVAILABLE_CLASSES:
        return Unavailable("the database can't serve this now", sqlstate=code)
    return None
