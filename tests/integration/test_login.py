"""What proves the program to its database is asked for at each new connection, so it may change while it runs."""

import json
from contextlib import closing
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from sqlalchemy import make_url, text
from tests.conftest import a_folder
from tests.world.aws import NOBODY, an_amazon

from carapulse.adapters.embedded.database import APP, DATABASE, prepare
from carapulse.adapters.embedded.postgres import EmbeddedPostgres, over_socket
from carapulse.adapters.postgres.direct import Direct
from carapulse.adapters.postgres.engine import connect, translated
from carapulse.bootstrap.database import app_door, owner_door
from carapulse.kernel.errors import Invalid, Unavailable
from carapulse.settings import load_settings

# The driver leaves the socket of a login that was refused to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
RDS = "postgresql://carapulse_app@db.eu-central-1.rds.amazonaws.com:5432/carapulse?sslmode=verify-full"


@pytest.fixture(scope="module")
def server():
    """Start a server that asks the program's role for its password."""
    with a_folder() as folder:
        running = EmbeddedPostgres.start(folder, durable=False)
        prepare(running)
        (folder / "postgres" / "pg_hba.conf").write_text(f"local all {APP} scram-sha-256\nlocal all all trust\n")
        as_postgres(running, "SELECT pg_reload_conf()")
        yield running
        running.stop()


def as_postgres(server, statement):
    with closing(over_socket(server.socket)) as connection:
        connection.run(statement)


def change_password(server, word):
    as_postgres(server, f"ALTER ROLE {APP} PASSWORD '{word}'")


def end_connections(server):
    as_postgres(server, f"SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = '{APP}'")


def address(server, word):
    return make_url(server.url(APP, DATABASE)).set(password=word).render_as_string(hide_password=False)


def test_a_new_password_counts_for_new_connections_without_a_new_start(server, tmp_path):
    file = tmp_path / "url"
    change_password(server, "f1rst")
    file.write_text(address(server, "f1rst"))
    settings = load_settings(database_url_file=file)
    door = app_door(settings, settings.database_url or "")
    engine, direct = connect(door), Direct(door)
    ask(engine, direct)

    change_password(server, "s3cond")
    end_connections(server)
    direct.close()
    with pytest.raises(Unavailable, match="refused the connection"):
        direct.run("SELECT 1")
    file.write_text(address(server, "s3cond"))

    ask(engine, direct)
    engine.dispose()
    direct.close()


def test_a_password_that_a_store_rotates_counts_for_new_connections_without_a_new_start(server):
    change_password(server, "st0red")
    with an_amazon():
        store = boto3.client("secretsmanager")
        store.create_secret(Name="app", SecretString=json.dumps({"username": APP, "password": "st0red"}))
        settings = load_settings(database_url=server.url(APP, DATABASE), database_password="aws:app#password")
        door = app_door(settings, settings.database_url or "")
        engine, direct = connect(door), Direct(door)
        ask(engine, direct)

        change_password(server, "r0tated")
        end_connections(server)
        direct.close()
        store.put_secret_value(SecretId="app", SecretString=json.dumps({"username": APP, "password": "r0tated"}))

        ask(engine, direct)
        engine.dispose()
        direct.close()


def test_a_password_that_is_not_where_it_should_be_is_said_without_asking_the_database(server):
    settings = load_settings(database_url=server.url(APP, DATABASE), database_password="env:NO_SUCH_PASSWORD")
    door = app_door(settings, settings.database_url or "")

    with pytest.raises(Unavailable, match="not there"):
        Direct(door).run("SELECT 1")
    with pytest.raises(Unavailable, match="not there"), translated(), connect(door).connect():
        pass


def ask(engine, direct):
    with translated(), engine.connect() as connection:
        assert connection.execute(text("SELECT CAST(:one AS text)"), {"one": "1"}).scalar_one() == "1"
    assert direct.run("SELECT CAST(:one AS text)", one="1") == [["1"]]


@pytest.mark.parametrize("content", [None, ""])
def test_while_the_file_with_the_address_is_not_there_new_connections_wait(server, tmp_path, content):
    file = tmp_path / "url"
    file.write_text(address(server, "any"))
    settings = load_settings(database_url_file=file)
    door = app_door(settings, settings.database_url or "")
    file.unlink() if content is None else file.write_text(content)

    with pytest.raises(Unavailable, match="CARAPULSE_DATABASE_URL_FILE"):
        Direct(door).run("SELECT 1")


def test_a_token_of_iam_is_signed_for_the_server_and_the_user_at_each_connection(monkeypatch):
    for name, value in NOBODY.items():
        monkeypatch.setenv(name, value)
    boto3.setup_default_session()
    settings = load_settings(database_url=RDS, database_login="rds-iam", database_owner_url=RDS.replace("app", "owner"))

    app = make_url(app_door(settings, settings.database_url or "").address())
    owner = make_url(owner_door(settings, settings.database_owner_url or "").address())

    assert (app.host, app.query) == ("db.eu-central-1.rds.amazonaws.com", {"sslmode": "verify-full"})
    for url, user in ((app, "carapulse_app"), (owner, "carapulse_owner")):
        token = urlsplit(f"https://{url.password}")
        asked = parse_qs(token.query)
        assert token.netloc == "db.eu-central-1.rds.amazonaws.com:5432"
        assert (asked["Action"], asked["DBUser"], asked["X-Amz-Expires"]) == (["connect"], [user], ["900"])
        assert "/eu-central-1/rds-db/aws4_request" in asked["X-Amz-Credential"][0]


@pytest.mark.parametrize(
    "careless",
    [RDS.replace("verify-full", "require"), RDS.replace("_app@", "_app:word@"), RDS.replace("carapulse_app@", "")],
)
def test_a_token_goes_to_nobody_who_does_not_prove_to_be_the_server(careless):
    settings = load_settings(database_url=careless, database_login="rds-iam")

    with pytest.raises(Invalid, match="token"):
        app_door(settings, careless)
