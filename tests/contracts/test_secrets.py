"""Secrets by reference: each store is asked at each use, says what is missing, and shows no value."""

import json

import boto3
import pytest
from tests.world.aws import an_amazon

from carapulse.adapters.aws.secrets import ManagedSecrets
from carapulse.adapters.secrets.local import LocalSecrets
from carapulse.kernel.errors import Unavailable
from carapulse.tools.connections import SecretReference
from carapulse.tools.errors import SecretMissing


@pytest.fixture(scope="module")
def amazon():
    with an_amazon():
        client = boto3.client("secretsmanager")
        client.create_secret(Name="prod/token", SecretString="hush")
        client.create_secret(
            Name="prod/database", SecretString=json.dumps({"user": "ada", "password": "hush", "port": 5})
        )
        client.create_secret(Name="prod/binary", SecretBinary=b"\x00")
        yield client


@pytest.fixture
def secrets(amazon):
    return LocalSecrets({}, {"aws": ManagedSecrets.connect().read})


def test_a_secret_is_read_whole_or_by_the_name_of_a_member(secrets):
    assert [secrets.read("aws:prod/token"), secrets.read("aws:prod/database#password")] == ["hush", "hush"]


def test_a_rotated_secret_counts_at_once(secrets, amazon):
    amazon.create_secret(Name="prod/rotated", SecretString="old")
    assert secrets.read("aws:prod/rotated") == "old"

    amazon.put_secret_value(SecretId="prod/rotated", SecretString="new")

    assert secrets.read("aws:prod/rotated") == "new"


@pytest.mark.parametrize(
    "reference",
    ["aws:prod/none", "aws:prod/token#password", "aws:prod/database#none", "aws:prod/database#port", "aws:prod/binary"],
)
def test_what_is_missing_is_named_and_no_value_shown(secrets, reference):
    with pytest.raises(SecretMissing) as missing:
        secrets.read(reference)

    assert missing.value.facts == {"reference": reference}
    assert "hush" not in str(missing.value)


def test_a_store_that_is_away_is_a_passing_failure():
    with an_amazon() as server:
        reader = ManagedSecrets.connect()
        server.stop()
        with pytest.raises(Unavailable) as away:
            reader.read("prod/token")
    assert away.value.retryable


@pytest.mark.parametrize("reference", ["aws:", "aws:a b", "aws:x#", "gcp:x", "aws:x#y#z"])
def test_only_a_reference_that_can_be_read_is_taken(reference):
    with pytest.raises(ValueError, match="secret"):
        SecretReference(secret=reference)
