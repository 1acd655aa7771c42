"""What the compose file lets a new database do first is enough to migrate and to run, and no more."""

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

from carapulse.adapters.embedded.database import APP, DATABASE, OWNER
from carapulse.adapters.embedded.postgres import EmbeddedPostgres, binary, over_socket
from carapulse.adapters.postgres.engine import connect, refuse_strong_role
from carapulse.adapters.postgres.migrate import migrate, refuse_unmigrated
from carapulse.settings import load_settings

SCRIPTS = Path(__file__).parents[2] / "infra" / "local"
PROGRAMS = binary("psql").parent
STRONG = "rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls"


@contextmanager
def closing_engine(url):
    engine = connect(url)
    try:
        yield engine
    finally:
        engine.dispose()


def test_the_script_of_a_new_database_makes_roles_that_can_migrate_and_run(data_dir, tmp_path):
    subprocess.run([SCRIPTS / "secrets.sh", tmp_path / "secrets"], check=True)
    server = EmbeddedPostgres.start(data_dir, durable=False)
    admin = over_socket(server.socket)
    try:
        admin.run(f"CREATE DATABASE {DATABASE}")
        given = {"PGHOST": str(server.socket.parent), "POSTGRES_DB": DATABASE, "SECRETS": str(tmp_path / "secrets")}
        subprocess.run(
            [SCRIPTS / "roles.sh"],
            check=True,
            env=given | {"PATH": f"{PROGRAMS}:{os.environ['PATH']}"},
        )

        migrate(server.url(OWNER, DATABASE), APP)
        with closing_engine(server.url(APP, DATABASE)) as engine:
            refuse_strong_role(engine)
            refuse_unmigrated(engine)
        roles = admin.run(f"SELECT rolname, {STRONG}, left(rolpassword, 5) FROM pg_authid WHERE rolcanlogin")
    finally:
        admin.close()
        server.stop()

    assert sorted(each for each in roles if each[0] != "postgres") == [[APP, False, "SCRAM"], [OWNER, False, "SCRAM"]]


def test_the_addresses_that_the_script_makes_are_taken_as_settings(tmp_path):
    made = tmp_path / "secrets"
    subprocess.run([SCRIPTS / "secrets.sh", made], check=True)

    settings = load_settings(
        database_url_file=made / "database_url", database_owner_url_file=made / "database_owner_url"
    )

    for role, url in ((APP, settings.database_url), (OWNER, settings.database_owner_url)):
        password = (made / f"{role.removeprefix('carapulse_')}_password").read_text()
        assert url == f"postgresql://{role}:{password}@postgres:5432/{DATABASE}"
        assert len(password) == 48
