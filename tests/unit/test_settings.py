"""Settings that hold a secret may lie in a file; what contradicts itself or can't be read stops the start."""

import pytest

from carapulse.kernel.errors import Invalid
from carapulse.settings import load_settings

URL = "postgresql://app:s3cret@db/carapulse"


def faults(**given):
    with pytest.raises(Invalid) as problem:
        load_settings(**given)
    return " ".join(fault.detail for fault in problem.value.faults)


def test_an_address_of_the_database_may_lie_in_a_file(tmp_path):
    (tmp_path / "app").write_text(f"{URL}\n")
    (tmp_path / "owner").write_text("postgresql://owner:0ther@db/carapulse")

    settings = load_settings(database_url_file=tmp_path / "app", database_owner_url_file=tmp_path / "owner")

    assert settings.database_url == URL
    assert settings.database_owner_url == "postgresql://owner:0ther@db/carapulse"


@pytest.mark.parametrize("name", ["database_url", "database_owner_url"])
def test_an_address_that_is_given_twice_stops_the_start_without_being_told(name, tmp_path):
    (tmp_path / "file").write_text(URL)

    told = faults(**{"database_url": URL, name: URL, f"{name}_file": tmp_path / "file"})

    assert f"CARAPULSE_{name.upper()} and CARAPULSE_{name.upper()}_FILE are both set" in told
    assert "s3cret" not in told


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file"), (b" \n", "is empty"), (b"\xff", "not text in UTF-8")]
)
def test_a_file_that_holds_no_address_stops_the_start(content, reason, tmp_path):
    if content is not None:
        (tmp_path / "file").write_bytes(content)

    assert reason in faults(database_url_file=tmp_path / "file")


@pytest.mark.parametrize("host", ["localhost", "*", "0.0.0.0:80", ""])
def test_the_api_listens_on_an_address_and_not_on_a_name(host):
    assert "does not appear to be an IPv4 or IPv6 address" in faults(host=host)


@pytest.mark.parametrize("given", [{"evidence_key": "evidence.key"}, {"evidence_key": "kms:"}, {"sealing_key": "hush"}])
def test_a_key_is_named_by_where_it_lies_and_never_given_itself(given):
    with pytest.raises(Invalid):
        load_settings(**given)


def test_a_lock_without_a_bucket_that_could_lock_stops_the_start():
    assert "CARAPULSE_EVIDENCE_BUCKET" in faults(evidence_lock_days=30)
    assert "CARAPULSE_EVIDENCE_LOCK_DAYS" in faults(evidence_lock_mode="COMPLIANCE", evidence_bucket="evidence")


def test_whoever_migrates_must_not_do_it_through_the_pooler():
    through, past = "postgresql://owner:0ther@db/carapulse", "postgresql://owner:0ther@db:5433/carapulse"

    told = faults(database_url=URL, database_pooled=True, database_owner_url=through)
    settings = load_settings(database_url=URL, database_pooled=True, database_owner_url=past)

    assert "CARAPULSE_DATABASE_OWNER_URL must lead past the pooler" in told
    assert settings.database_pooled


@pytest.mark.parametrize("setting", [{"database_pooled": True}, {"database_login": "rds-iam"}])
def test_the_embedded_database_has_no_pooler_and_no_login_of_its_own(setting):
    assert "is set for the embedded database" in faults(**setting)


GOOGLE = {
    "queue": "pubsub",
    "queue_addresses": {
        name: f"projects/acme/topics/{name}"
        for name in ("planning", "approvals", "collection", "executions", "notifications")
    },
    "push": "google",
    "push_audience": "https://carapulse.example/planning",
    "push_account": "push@acme.iam.gserviceaccount.com",
}


def test_pushes_of_google_are_those_of_one_account_for_one_audience():
    assert load_settings(**GOOGLE).push_issuer == "https://accounts.google.com"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"push_audience": None}, "needs CARAPULSE_PUSH_AUDIENCE and CARAPULSE_PUSH_ACCOUNT"),
        ({"push_account": None}, "needs CARAPULSE_PUSH_AUDIENCE and CARAPULSE_PUSH_ACCOUNT"),
        ({"push": "cloudevents"}, "count only if CARAPULSE_PUSH=google"),
        ({"push": "none", "push_account": None}, "count only if CARAPULSE_PUSH=google"),
        (
            {"push": "none", "push_account": None, "push_audience": None, "push_issuer": "https://accounts.example"},
            "count only if CARAPULSE_PUSH=google",
        ),
        (
            {"queue_addresses": dict.fromkeys(GOOGLE["queue_addresses"], "projects/acme/topics/all")},
            "one address for two queues",
        ),
        ({"queue": "postgres", "queue_addresses": {}}, "which CARAPULSE_QUEUE does not name"),
        ({"push": "anybody"}, "Input should be"),
        ({"push_account": "everybody"}, "String should match pattern"),
        ({"push_audience": ""}, "at least 1 character"),
        ({"push_issuer": "http://accounts.example"}, "an issuer is an https:// address"),
    ],
)
def test_who_pushes_is_said_wholly_and_nowhere_contradicted(changed, reason):
    assert reason in faults(**{**GOOGLE, **changed})


VAULT = {"vault_url": "https://vault.example:8200", "vault_auth": "approle", "vault_role": "r", "vault_proof_file": "p"}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"vault_url": None}, "set without CARAPULSE_VAULT_URL"),
        ({"vault_auth": None}, "needs CARAPULSE_VAULT_AUTH and CARAPULSE_VAULT_PROOF_FILE"),
        ({"vault_proof_file": None}, "needs CARAPULSE_VAULT_AUTH and CARAPULSE_VAULT_PROOF_FILE"),
        ({"vault_role": None}, "belongs to the logins"),
        ({"vault_auth": "token"}, "belongs to the logins"),
        ({"vault_url": "http://vault.example:8200"}, "https://"),
        ({"vault_mount": "../sys"}, "String should match pattern"),
    ],
)
def test_a_vault_is_named_with_how_it_knows_us_and_never_half(changed, reason):
    assert load_settings(**VAULT).vault_role == "r"
    assert reason in faults(**{**VAULT, **changed})


@pytest.mark.parametrize("bucket", ["gs://", "s3://acme", "gs://Acme", "a", "acme/blobs"])
def test_a_bucket_is_named_as_one_of_s3_or_of_cloud_storage(bucket):
    assert "String should match pattern" in faults(blobs_bucket=bucket)


@pytest.mark.parametrize(
    "given",
    [
        {"database_password": "aws:app"},
        {"database_password": "aws:app", "database_url": URL},
        {"database_password": "aws:app", "database_url": "postgresql://app@db/x", "database_login": "rds-iam"},
        {"database_owner_password": "aws:owner", "database_url": "postgresql://app@db/x"},
        {"database_password": "s3cret", "database_url": "postgresql://app@db/x"},
    ],
)
def test_a_password_in_a_store_is_for_an_address_that_has_none_and_no_token(given):
    assert "s3cret" not in faults(**given)


@pytest.mark.parametrize("given", ["", "[file:/hush", "file:/hush"])
def test_a_list_that_is_no_json_is_named_and_its_value_is_not(given, monkeypatch):
    monkeypatch.setenv("CARAPULSE_FORMER_SEALING_KEYS", given)

    with pytest.raises(Invalid) as refused:
        load_settings()

    assert "former_sealing_keys" in str(refused.value.facts)
    assert "hush" not in f"{refused.value.detail}{refused.value.facts}"
