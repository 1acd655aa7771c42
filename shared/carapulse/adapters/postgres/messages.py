"""What is sent to Postgres in its extended protocol (https://www.postgresql.org/docs/current/protocol-flow.html)."""

from collections.abc import Sequence

from pg8000.core import NULL_BYTE, H_pack, i_pack

BEGIN, COMMIT = "begin transaction", "commit"
ALL_ROWS = NULL_BYTE + i_pack(0)
BIND_TENANT = "SELECT set_config('carapulse.tenant', $1, true)"


def parsing(statement: bytes, oids: Sequence[int] = ()) -> bytes:
    """Return what asks to parse a statement without a name."""
    types = b"".join(i_pack(0 if each == -1 else each) for each in oids)
    return b"".join((NULL_BYTE, statement, NULL_BYTE, H_pack(len(oids)), types))


def binding(values: Sequence[bytes | None]) -> bytes:
    """Return what gives that statement its values, as text, and asks for its rows as text."""
    given = b"".join(i_pack(-1) if each is None else i_pack(len(each)) + each for each in values)
    return b"".join((NULL_BYTE, NULL_BYTE, H_pack(0), H_pack(len(values)), given, H_pack(0)))


BINDS_TENANT = parsing(BIND_TENANT.encode())
