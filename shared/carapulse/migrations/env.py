"""Runs migrations on the connection that adapters.postgres.migrate gives."""

from alembic import context


def run() -> None:
    """Run all missing migrations, each in its own transaction."""
    context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


run()
