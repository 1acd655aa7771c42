"""The address of a database is taken as people and providers write it, or refused without telling its password."""

import ssl

import pytest

from carapulse.adapters.postgres.address import parse_address
from carapulse.kernel.errors import Invalid


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+pg8000"])
def test_every_way_to_name_postgres_means_the_one_driver(scheme):
    address, arguments = parse_address(f"{scheme}://app:s%40cret@db.example:5433/carapulse")

    assert (address.drivername, address.host, address.port) == ("postgresql+pg8000", "db.example", 5433)
    assert (address.password, arguments) == ("s@cret", {"ssl_context": None})


def test_a_socket_may_lie_anywhere():
    _, arguments = parse_address("postgresql://app@/carapulse?unix_sock=/a%20b%2Bc%26d%2520/.s.PGSQL.5432")

    assert arguments == {"unix_sock": "/a b+c&d%20/.s.PGSQL.5432", "ssl_context": False}


@pytest.mark.parametrize(("mode", "expected"), [("disable", False), ("prefer", None), ("require", True)])
def test_tls_is_asked_for_as_libpq_names_it(mode, expected):
    assert parse_address(f"postgresql://app@db/c?sslmode={mode}")[1]["ssl_context"] is expected


def test_a_full_verification_checks_the_chain_and_the_name():
    context = parse_address("postgresql://app@db/c?sslmode=verify-full")[1]["ssl_context"]

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize(
    "url",
    [
        "hello",
        "mysql://app:secret@db/c",
        "postgresql://app:secret@db:port/c",
        "postgresql://app:secret@db/c?sslmode=verify-ca",
        "postgresql://app:secret@db/c?sslmod=require",
        "postgresql://app:secret@db/c?sslmode=verify-full&sslrootcert=/nowhere",
    ],
)
def test_anything_else_is_invalid_and_tells_no_password(url):
    with pytest.raises(Invalid) as refused:
        parse_address(url)

    assert "secret" not in f"{refused.value.detail} {refused.value.facts}"
