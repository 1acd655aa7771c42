"""Secrets by reference: each store is asked at each use, says what is wrong in the same words, and shows no value."""

import json

import pytest
from tests.builders.tools import Reply, a_server
from tests.world.vaults import NOWHERE, STORES, google, vault

from carapulse.adapters.gcp.secrets import GoogleSecrets
from carapulse.adapters.secrets.local import LocalSecrets
from carapulse.adapters.vault.proving import Login, TokenFile
from carapulse.adapters.vault.secrets import VaultSecrets
from carapulse.adapters.vault.speaking import Vault
from carapulse.adapters.web.client import HttpxWeb
from carapulse.kernel.errors import Problem
from carapulse.tools.connections import SecretReference
from carapulse.tools.errors import SecretForbidden, SecretMissing, SecretStoreAway

DATABASE = {"user": "ada", "password": "hush", "port": 5, "blank": " "}


@pytest.fixture(scope="module", params=sorted(STORES))
def store(request, tmp_path_factory):
    with STORES[request.param](tmp_path_factory.mktemp("store")) as one:
        one.put("database", json.dumps(DATABASE))
        yield one


@pytest.fixture
def secrets(store):
    return LocalSecrets({}, {store.kind: store.reader()})


def refused(store, read, place):
    with pytest.raises(Problem) as problem:
        LocalSecrets({}, {store.kind: read}).read(f"{store.kind}:{place}")
    assert "hush" not in f"{problem.value} {problem.value.facts}"
    return problem.value


def test_a_field_of_a_secret_is_read(secrets, store):
    assert secrets.read(f"{store.kind}:{store.place('database')}#password") == "hush"


def test_a_rotated_secret_counts_at_once(secrets, store):
    reference = f"{store.kind}:{store.put('rotated', json.dumps({'token': 'old'}))}#token"
    assert secrets.read(reference) == "old"

    store.put("rotated", json.dumps({"token": "new"}))

    assert secrets.read(reference) == "new"


@pytest.mark.parametrize(
    ("name", "field", "code"),
    [
        ("none", "password", "secret-missing"),
        ("database", "none", "secret-field-missing"),
        ("database", "port", "secret-field-missing"),
        ("database", "blank", "secret-field-missing"),
    ],
)
def test_what_is_missing_is_named_and_no_value_shown(store, name, field, code):
    place = f"{store.place(name)}#{field}"

    problem = refused(store, store.reader(), place)

    assert (problem.code, problem.facts) == (code, {"reference": f"{store.kind}:{place}"})


@pytest.mark.parametrize(
    ("situation", "code"),
    [("forbidding", "secret-forbidden"), ("crowded", "secret-store-busy"), ("away", "secret-store-away")],
)
def test_a_wall_a_crowd_and_silence_are_told_apart_and_pass(store, situation, code):
    problem = refused(store, getattr(store, situation)(), f"{store.place('database')}#password")

    assert (problem.code, problem.retryable) == (code, True)


@pytest.mark.parametrize("kind", ["aws", "gcp"])
def test_a_secret_may_be_read_whole(kind, tmp_path):
    with STORES[kind](tmp_path) as store:
        places = [store.put("token", "hush\n"), store.put("blank", "  \n"), store.put("plain", "no JSON")]
        read = store.reader()

        assert read(places[0]) == "hush"
        assert refused(store, read, places[1]).code == "secret-missing"
        assert refused(store, read, f"{places[2]}#token").code == "secret-field-missing"


class TestSecretManager:
    """What is promised of Google's alone."""

    def test_a_token_that_google_no_longer_takes_is_renewed(self, tmp_path):
        with google(tmp_path) as store:
            place, read = store.put("token", "hush"), store.reader()
            assert read(place) == "hush"

            store.google.tokens.clear()

            assert read(place) == "hush"
            assert len(store.google.tokens) == 1

    def test_a_version_that_is_disabled_or_no_text_is_missing_and_a_broken_service_is_away(self, tmp_path):
        with google(tmp_path) as store:
            read = store.reader()
            store.google.disabled.add(store.put("off", "hush"))
            store.google.secrets["acme/bytes"] = [b"\xff\x00"]

            assert refused(store, read, "acme/off").code == "secret-missing"
            assert refused(store, read, "acme/bytes").code == "secret-missing"
            store.google.failing = 503, "try again"
            assert refused(store, read, "acme/off").code == "secret-store-away"

    def test_without_credentials_nobody_can_be_asked(self, tmp_path, monkeypatch):
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))

        with pytest.raises(SecretStoreAway, match="no credentials"):
            GoogleSecrets.connect(NOWHERE).read("acme/token")


@pytest.fixture(scope="module")
def key_value(tmp_path_factory):
    with vault(tmp_path_factory.mktemp("vault")) as one:
        one.put("database", json.dumps(DATABASE))
        one.bao.post("sys/policies/acl/reader", {"policy": 'path "secret/data/database" {capabilities = ["read"]}'})
        one.bao.post("sys/auth/approle", {"type": "approle"})
        one.bao.post("auth/approle/role/carapulse", {"token_policies": ["reader"], "token_ttl": "10m"})
        yield one


class TestVault:
    """What is promised of Vault alone."""

    @pytest.fixture
    def login(self, key_value, tmp_path):
        role = key_value.bao.http.get("auth/approle/role/carapulse/role-id").json()["data"]["role_id"]
        proof = tmp_path / "secret-id"
        proof.write_text(key_value.bao.post("auth/approle/role/carapulse/secret-id", {})["data"]["secret_id"])
        return Login(Vault(HttpxWeb(), key_value.bao.url), "approle", role, proof, "approle")

    def test_a_login_gives_what_its_policy_allows_and_is_made_once(self, login):
        secrets = VaultSecrets(login.vault, login)

        assert secrets.read("secret/database#password") == "hush"
        token = login.token()
        assert secrets.read("secret/database#user") == "ada"
        assert login.token() == token
        with pytest.raises(SecretForbidden):
            secrets.read("secret/another#password")

    def test_a_token_that_was_revoked_is_replaced_by_another_login(self, login, key_value):
        secrets = VaultSecrets(login.vault, login)
        secrets.read("secret/database#password")
        before = login.token()

        key_value.bao.http.post("auth/token/revoke", json={"token": before})

        assert secrets.read("secret/database#password") == "hush"
        assert login.token() != before

    def test_a_login_that_is_refused_or_has_nothing_to_show_is_said_and_shows_nothing(self, login):
        right = login.proof.read_text()
        for wrong in ("not the secret id", "", "two\nlines"):
            login.proof.write_text(wrong)
            with pytest.raises(SecretForbidden) as problem:
                login.token()
            assert right not in str(problem.value)
        login.proof.unlink()
        with pytest.raises(SecretForbidden, match="can't be read"):
            login.token()

    def test_a_token_that_its_agent_renewed_counts_at_once(self, key_value, tmp_path):
        file = tmp_path / "token"
        secrets = VaultSecrets(Vault(HttpxWeb(), key_value.bao.url), TokenFile(file))
        file.write_text("too old")
        with pytest.raises(SecretForbidden):
            secrets.read("secret/database#password")

        key_value.reader()
        file.write_text((key_value.folder / "token").read_text())

        assert secrets.read("secret/database#password") == "hush"

    def test_a_deleted_version_is_missing(self, key_value):
        key_value.put("gone", json.dumps({"token": "hush"}))
        key_value.bao.http.delete("secret/data/gone")

        with pytest.raises(SecretMissing):
            key_value.reader()("secret/gone#token")

    def test_a_pods_service_account_logs_in_by_its_token(self, tmp_path):
        proof = tmp_path / "token"
        proof.write_text("a.jwt.of-a-pod")
        answers = {
            ("POST", "/v1/auth/clusters/one/login"): Reply({"auth": {"client_token": "given", "lease_duration": 600}}),
            ("GET", "/v1/secret/data/database"): Reply({"data": {"data": {"password": "hush"}}}),
        }

        with a_server(answers) as told:
            server = Vault(HttpxWeb(), told.url)
            secrets = VaultSecrets(server, Login(server, "kubernetes", "carapulse", proof, "clusters/one"))
            assert secrets.read("secret/database#password") == "hush"

        login, read = told.exchanges
        assert login.json == {"jwt": "a.jwt.of-a-pod", "role": "carapulse"}
        assert read.headers["x-vault-token"] == "given"


@pytest.mark.parametrize(
    "reference",
    [
        *("aws:", "aws:a b", "aws:x#", "aws:x#y#z", "gcp:x", "gcp:acme/x/y", "gcp:acme/x#y#z", "azure:x"),
        *("vault:secret#x", "vault:secret/x", "vault:secret/../x#y", "vault:/secret/x#y"),
    ],
)
def test_only_a_reference_that_can_be_read_is_taken(reference):
    with pytest.raises(ValueError, match="secret"):
        SecretReference(secret=reference)


@pytest.mark.parametrize("reference", ["gcp:acme-prod/token", "gcp:123/token#x", "vault:kv/checkout/database#password"])
def test_references_of_each_store_are_taken(reference):
    assert SecretReference(secret=reference).secret == reference


def test_without_a_vault_its_references_are_said_to_lead_nowhere(tmp_path):
    from carapulse.bootstrap.stores import secret_stores
    from carapulse.settings import Settings

    with pytest.raises(SecretMissing, match="CARAPULSE_VAULT_URL"):
        secret_stores(Settings(data_dir=tmp_path))["vault"]("secret/x#y")


def test_a_version_of_a_secret_at_amazon_is_read_by_its_label(tmp_path):
    with STORES["aws"](tmp_path) as store:
        store.put("sealing", "first")
        store.client.put_secret_value(SecretId="sealing", SecretString="second", VersionStages=["key-2"])
        read = store.reader()

        assert (read("sealing"), read("sealing?stage=key-2")) == ("first", "second")
        assert refused(store, read, "sealing?stage=key-3").code == "secret-missing"
        assert refused(store, read, "sealing?stage=").code == "secret-missing"
