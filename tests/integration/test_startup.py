"""A program that can't start says why in one sentence, and one that starts can be used."""

import os
import ssl
import tempfile
import threading
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from pg8000.exceptions import DatabaseError
from tests.world.issuer import an_issuers_file

from carapulse.adapters.embedded.claim import claimed
from carapulse.adapters.embedded.database import APP, OWNER
from carapulse.adapters.embedded.guard import PostgresGuard
from carapulse.adapters.embedded.postgres import EmbeddedPostgres, over_socket
from carapulse.adapters.postgres.engine import connect, problem_of
from carapulse.adapters.postgres.migrate import migrate, refuse_unmigrated
from carapulse.bootstrap import make_app
from carapulse.identity.errors import NobodyBelieved, TokenRefused
from carapulse.identity.issuer import DevelopmentIssuer
from carapulse.kernel.errors import Conflict, Invalid, Unavailable
from carapulse.runtime.local import running
from carapulse.settings import Settings

A_PROVIDER = {
    "issuer": "https://login.example",
    "audience": "carapulse",
    "algorithms": ["RS256"],
    "tenants": {"fixed": "acme"},
    "roles": {"claim": "groups", "mapping": {"oncall": "sre"}},
}


@pytest.fixture
def empty(postgres):
    """Make a database that nobody has migrated."""
    admin = over_socket(postgres.socket)
    admin.run(f"CREATE DATABASE empty OWNER {OWNER}")
    yield postgres
    admin.run("DROP DATABASE empty WITH (FORCE)")
    admin.close()


def refused(url):
    engine = connect(url)
    try:
        refuse_unmigrated(engine)
    finally:
        engine.dispose()


def test_a_database_that_nobody_has_migrated_is_refused(empty):
    with pytest.raises(Invalid, match="not migrated"):
        refused(empty.url(APP, "empty"))


def test_a_database_that_lacks_the_newest_migration_is_refused(database):
    refused(database.app_url)
    with database.as_superuser() as connection:
        connection.run("UPDATE alembic_version SET version_num = '0001'")

    with pytest.raises(Invalid, match="not migrated"):
        refused(database.app_url)


def test_an_app_role_that_does_not_exist_is_named(empty):
    with pytest.raises(Invalid) as problem:
        migrate(empty.url(OWNER, "empty"), "nobody_there")

    assert problem.value.facts == {"role": "nobody_there"}


@pytest.mark.parametrize("code", ["28P01", "28000", "3D000"])
def test_why_the_database_lets_nobody_in_is_told(code):
    problem = problem_of(DatabaseError({"C": code, "M": "who are you?"}))

    assert isinstance(problem, Unavailable)
    assert "who are you?" in problem.detail


def test_a_certificate_that_is_not_trusted_is_told():
    error = ssl.SSLCertVerificationError()
    error.reason = "CERTIFICATE_VERIFY_FAILED"

    problem = problem_of(error)

    assert isinstance(problem, Unavailable)
    assert problem.detail == "no encrypted connection to the database: CERTIFICATE_VERIFY_FAILED"


def test_one_program_at_a_time_uses_a_data_directory(data_dir):
    with claimed(data_dir), pytest.raises(Conflict), claimed(data_dir):
        pass

    with claimed(data_dir):
        pass


def test_a_data_directory_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()

    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(Invalid, match="data directory"), claimed(folder):
            pass


def test_a_database_that_cannot_be_started_is_told_by_the_guard(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(Unavailable, match="can't be started"):
        PostgresGuard.start(tmp_path / "file")

    assert not any(thread.name == "postgres-guard" for thread in threading.enumerate())


@pytest.mark.parametrize("name", ["a b+c&d%20e=f?g#h'i", "with,comma", "x" * 200])
def test_a_data_directory_may_have_any_name(data_dir, name):
    server = EmbeddedPostgres.start(data_dir / name, durable=False)
    engine = connect(server.url("postgres", "postgres"))
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
    finally:
        engine.dispose()
        server.stop()


def test_somebody_elses_folder_is_not_taken_for_the_sockets(data_dir, tmp_path):
    folder = data_dir / ("x" * 200)
    planted = socket_folder(folder)
    planted.symlink_to(tmp_path, target_is_directory=True)
    try:
        with pytest.raises(Unavailable, match="somebody else"):
            EmbeddedPostgres.start(folder, durable=False)
    finally:
        planted.unlink()

    assert tmp_path.stat().st_uid == os.geteuid()


def test_the_embedded_database_has_a_connection_for_everybody_who_may_ask(postgres, database, tmp_path):
    most = next(each.le for each in Settings.model_fields["workers"].metadata if hasattr(each, "le"))
    app = make_app(Settings(data_dir=tmp_path, workers=most), database.app_url)
    pool: Any = app.engine.pool
    with database.as_superuser() as connection:
        ((there_are,),) = connection.run("SELECT current_setting('max_connections')::integer")

    assert pool.size() + pool._max_overflow + 10 < there_are  # noqa: SLF001 - it has no public name


def test_a_program_with_a_database_of_its_own_needs_issuers():
    settings = Settings(database_url="postgresql://nobody@127.0.0.1:9/nothing")

    with pytest.raises(NobodyBelieved, match="CARAPULSE_ISSUERS_FILE"), running(settings):
        pass


@pytest.mark.parametrize(("host", "reached"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_the_api_is_reached_by_other_addresses_only_if_it_is_told_to(host, reached, database, tmp_path):
    issuers = an_issuers_file(tmp_path, A_PROVIDER)
    settings = Settings(data_dir=tmp_path, database_url=database.app_url, issuers_file=issuers, host=host, port=0)

    with running(settings) as program:
        port = int(program.url.rpartition(":")[2])
        answered = [answers("127.0.0.1", port), answers("127.0.0.2", port)]

    assert program.url == f"http://127.0.0.1:{port}"
    assert answered == [True, reached]


def test_who_made_the_database_says_whether_the_development_issuer_is_believed(tmp_path):
    token = DevelopmentIssuer.load_or_make(tmp_path).mint("acme", "ada", frozenset(), timedelta(hours=1))
    nowhere = "postgresql://nobody@127.0.0.1:9/nothing"
    embedded, outside = (make_app(Settings(data_dir=tmp_path, database_url=url), nowhere) for url in (None, nowhere))

    assert embedded.tokens.verify(token).tenant == "acme"
    with pytest.raises(TokenRefused):
        outside.tokens.verify(token)


def test_where_issuers_are_chosen_the_development_issuer_is_not_believed(tmp_path):
    token = DevelopmentIssuer.load_or_make(tmp_path).mint("acme", "ada", frozenset(), timedelta(hours=1))
    settings = Settings(data_dir=tmp_path, issuers_file=an_issuers_file(tmp_path, A_PROVIDER))

    app = make_app(settings, "postgresql://nobody@127.0.0.1:9/nothing")

    with pytest.raises(TokenRefused):
        app.tokens.verify(token)


def answers(host, port):
    try:
        return httpx.get(f"http://{host}:{port}/healthz", trust_env=False).is_success
    except httpx.ConnectError:
        return False


def socket_folder(folder: Path) -> Path:
    return Path(tempfile.gettempdir()) / f"carapulse-{sha256(os.fsencode(folder)).hexdigest()[:16]}"
