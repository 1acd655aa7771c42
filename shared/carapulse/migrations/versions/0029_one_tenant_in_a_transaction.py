"""A transaction that is bound to a tenant can't be led to another by a function. Kind: expand.

The functions of the hot path bind the tenant that they are given, for they are called on connections without one. Where
there is one already, and it is another, they refuse.
"""

from alembic import op

revision = "0029"
down_revision = "0028"

_BIND = """
CREATE FUNCTION bind_tenant(owner text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF nullif(current_setting('carapulse.tenant', true), '') <> owner THEN
        RAISE insufficient_privilege USING MESSAGE = 'the transaction is bound to another tenant';
    END IF;
    PERFORM set_config('carapulse.tenant', coalesce(owner, ''), true);
END
$$
"""
_USE = """
DO $$
DECLARE
    bound text := $old$set_config('carapulse.tenant', owner, true)$old$;
    one oid;
BEGIN
    FOR one IN
        SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND position(bound IN prosrc) > 0
    LOOP
        EXECUTE replace(pg_get_functiondef(one), bound, 'bind_tenant(owner)');
    END LOOP;
END
$$
"""


def upgrade() -> None:
    """Make the function, and let those that bound a tenant by themselves call it."""
    op.execute(_USE)
    op.execute(_BIND)
