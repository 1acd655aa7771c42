"""Vault's API, for real: an OpenBao server in development mode on loopback."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.builders.tools import BUILTIN, Reply, Runs, a_certificate, a_connection, a_server, a_toolbox, an_invocation
from tests.world.bao import ROOT, Bao, a_bao

from carapulse.kernel.errors import Denied, Unavailable
from carapulse.tools.errors import ConnectionForbids, InputRefused
from carapulse.tools.model import Mode, OutcomeKind

PATH = {"mount": "secret", "path": "checkout/database"}
GENERATED = {**PATH, "fields": [{"name": "password", "generate": 32}, {"name": "user", "secret": "user"}]}


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with a_bao(tmp_path_factory.mktemp("bao")) as found:
        yield found


@pytest.fixture
def run(bao: Bao, tmp_path: Path) -> Iterator[Runs]:
    connection = a_connection(
        "vault",
        base_url=bao.url,
        headers={"X-Vault-Token": {"secret": "env:VAULT_TOKEN"}},
        secrets={"user": {"secret": "env:DB_USER"}},
        secret_folder=str(tmp_path / "kept"),
        settings={
            "approle_role_id": {"secret": "env:ROLE_ID"},
            "approle_secret_id": {"secret": "env:SECRET_ID"},
            "kubernetes_role_token": {"secret": "env:JWT"},
        },
    )
    environment = {
        "VAULT_TOKEN": ROOT,
        "DB_USER": "checkout-app",
        "ROLE_ID": "unset",
        "SECRET_ID": "unset",
        "JWT": "not.a.jwt",
    }
    yield Runs(a_toolbox(connection, environment=environment))
    bao.http.delete("secret/metadata/checkout/database")


def test_health_is_told(run: Runs):
    outcome = run(an_invocation("vault.health", {}))

    assert (outcome.output["initialized"], outcome.output["sealed"]) == (True, False)


def test_a_new_version_holds_new_and_declared_secrets_and_nobody_is_told_them(run: Runs, bao: Bao):
    outcome = run(run.captured(an_invocation("vault.kv_put", GENERATED)))

    held = bao.data()["data"]
    assert (outcome.kind, outcome.output["version"]) == (OutcomeKind.SUCCEEDED, 1)
    assert (len(held["password"]), held["user"]) == (32, "checkout-app")
    assert held["password"] not in outcome.model_dump_json() + "".join(run.lines)


def test_each_rotation_makes_another_secret(run: Runs, bao: Bao):
    run(run.captured(an_invocation("vault.kv_put", GENERATED)))
    first = bao.data()["data"]["password"]

    run(run.captured(an_invocation("vault.kv_put", GENERATED)))

    assert bao.data()["data"]["password"] != first


def test_undo_brings_back_the_version_that_was_there(run: Runs, bao: Bao):
    bao.write({"password": "as-it-was", "user": "u"})
    invocation = run.captured(an_invocation("vault.kv_put", GENERATED))
    done = run(invocation)
    assert bao.data()["data"]["password"] != "as-it-was"

    undo = BUILTIN.undo(invocation, done.output)

    assert undo is not None
    assert run(undo).output["version"] == 3
    assert bao.data()["data"] == {"password": "as-it-was", "user": "u"}


def test_undo_of_a_first_version_deletes_it(run: Runs, bao: Bao):
    invocation = run.captured(an_invocation("vault.kv_put", GENERATED))
    undo = BUILTIN.undo(invocation, run(invocation).output)

    assert undo is not None
    assert run(undo).kind is OutcomeKind.SUCCEEDED
    assert bao.http.get("secret/data/checkout/database").status_code == 404


def test_a_secret_that_changed_after_it_was_looked_at_is_left_alone(run: Runs, bao: Bao):
    invocation = run.captured(an_invocation("vault.kv_put", GENERATED))
    bao.write({"password": "somebody-elses"})

    outcome = run(invocation)

    assert (outcome.kind, outcome.unchanged, outcome.http_status) == (OutcomeKind.FAILED, True, 400)
    assert bao.data()["data"] == {"password": "somebody-elses"}


def test_undo_leaves_alone_what_somebody_else_changed_since(run: Runs, bao: Bao):
    bao.write({"password": "as-it-was"})
    invocation = run.captured(an_invocation("vault.kv_put", GENERATED))
    undo = BUILTIN.undo(invocation, run(invocation).output)
    bao.write({"password": "somebody-elses"})

    assert undo is not None
    assert run(undo).kind is OutcomeKind.FAILED
    assert bao.data()["data"] == {"password": "somebody-elses"}


def test_a_patch_keeps_the_other_fields(run: Runs, bao: Bao):
    bao.write({"password": "old", "host": "db"})

    outcome = run(
        run.captured(an_invocation("vault.kv_patch", {**PATH, "fields": [{"name": "password", "generate": 20}]}))
    )

    held = bao.data()["data"]
    assert outcome.kind is OutcomeKind.SUCCEEDED
    assert (held["host"], len(held["password"])) == ("db", 20)


def test_the_probe_tells_whether_a_version_was_written(run: Runs):
    invocation = run.captured(an_invocation("vault.kv_put", GENERATED))
    probe = invocation.model_copy(update={"mode": Mode.PROBE})
    assert run(probe).kind is OutcomeKind.FAILED

    run(invocation)

    assert run(probe).kind is OutcomeKind.SUCCEEDED


def test_reading_tells_fields_and_version_but_no_secret(run: Runs, bao: Bao):
    bao.write({"password": "do-not-tell", "user": "u"})

    outcome = run(an_invocation("vault.kv_get", PATH))

    assert (outcome.output["version"], sorted(outcome.output["fields"])) == (1, ["password", "user"])
    assert "do-not-tell" not in outcome.model_dump_json()


def test_a_secret_the_connection_does_not_declare_is_refused(run: Runs):
    with pytest.raises(ConnectionForbids):
        run(an_invocation("vault.kv_put", {**PATH, "fields": [{"name": "x", "secret": "other"}]}))


def test_a_deleted_secret_comes_back(run: Runs, bao: Bao):
    bao.write({"password": "old"})
    invocation = run.captured(an_invocation("vault.kv_delete", PATH))
    done = run(invocation)
    assert bao.http.get("secret/data/checkout/database").status_code == 404

    undo = BUILTIN.undo(invocation, done.output)

    assert undo is not None
    assert run(undo).kind is OutcomeKind.SUCCEEDED
    assert bao.data()["data"] == {"password": "old"}


def test_a_login_keeps_its_token_aside_and_undo_ends_it(run: Runs, bao: Bao, tmp_path: Path):
    if "approle/" not in bao.http.get("sys/auth").json():
        bao.post("sys/auth/approle", {"type": "approle"})
    bao.post("auth/approle/role/ci", {"policies": "default"})
    environment = run.box.secrets.environment  # type: ignore[attr-defined]
    environment["ROLE_ID"] = bao.http.get("auth/approle/role/ci/role-id").json()["data"]["role_id"]
    environment["SECRET_ID"] = bao.post("auth/approle/role/ci/secret-id", {})["data"]["secret_id"]
    invocation = an_invocation("vault.login_approle", {})

    outcome = run(invocation)

    kept = Path(outcome.output["token"]["secret"].removeprefix("file:"))
    token = kept.read_text()
    assert kept.parent == tmp_path / "kept"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert token not in outcome.model_dump_json()
    assert bao.http.get("auth/token/lookup-self", headers={"X-Vault-Token": token}).status_code == 200

    undo = BUILTIN.undo(invocation, outcome.output)
    assert undo is not None
    assert run(undo).kind is OutcomeKind.SUCCEEDED
    assert bao.http.get("auth/token/lookup-self", headers={"X-Vault-Token": token}).status_code == 403


def a_service_account_token() -> str:
    """Return a token such as Kubernetes gives to service accounts, but for its signature."""
    account = {"namespace": "shop", "serviceaccount": {"name": "ci", "uid": "u1"}}
    claims = {"kubernetes.io": account, "sub": "system:serviceaccount:shop:ci", "nbf": 1, "iat": 1, "exp": 9999999999}
    parts = (b'{"alg":"RS256"}', json.dumps(claims).encode(), b"signature")
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


REVIEWED = {
    "authenticated": True,
    "user": {"username": "system:serviceaccount:shop:ci", "uid": "u1", "groups": ["system:serviceaccounts"]},
}
REVIEW = Reply({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": REVIEWED}, 201)
ROLE = {"bound_service_account_names": ["ci"], "bound_service_account_namespaces": ["shop"], "policies": "default"}


def test_a_kubernetes_login_sends_role_and_service_account(run: Runs, bao: Bao, tmp_path: Path):
    token = a_service_account_token()
    run.box.secrets.environment["JWT"] = token  # type: ignore[attr-defined]
    with a_server({("POST", "/apis/authentication.k8s.io/v1/tokenreviews"): REVIEW}) as cluster:
        trust = a_certificate(tmp_path).read_text()
        bao.post("sys/auth/kubernetes", {"type": "kubernetes"})
        bao.post(
            "auth/kubernetes/config",
            {"kubernetes_host": cluster.url, "disable_local_ca_jwt": True, "kubernetes_ca_cert": trust},
        )
        bao.post("auth/kubernetes/role/ci", ROLE)

        outcome = run(an_invocation("vault.login_k8s", {"role": "ci"}))

    assert outcome.kind is OutcomeKind.SUCCEEDED
    assert outcome.output["token"]["secret"].startswith("file:")
    assert cluster.last.json["spec"]["token"] == token


def test_a_lease_is_prolonged_and_ended(run: Runs, bao: Bao):
    made = bao.post("auth/token/create", {"ttl": "1h", "renewable": True})["auth"]
    environment = run.box.secrets.environment  # type: ignore[attr-defined]
    environment["VAULT_TOKEN"] = made["client_token"]
    renewed = run(an_invocation("vault.token_renew", {"increment_s": 600}))
    environment["VAULT_TOKEN"] = ROOT

    assert renewed.output["renewable"] is True
    assert made["client_token"] not in renewed.model_dump_json()


def test_an_unknown_lease_is_told_as_the_server_tells_it(run: Runs):
    lease = {"lease_id": "database/creds/readonly/27e1b9a1-27b8-83d9-9fe0-d99d786bdc83"}

    renewed = run(an_invocation("vault.renew", lease))
    revoked = run(an_invocation("vault.revoke", lease))

    assert (renewed.kind, renewed.http_status) == (OutcomeKind.FAILED, 400)
    assert (revoked.kind, revoked.http_status) == (OutcomeKind.SUCCEEDED, 204)


def test_an_audit_device_that_the_server_takes_only_from_its_configuration_is_refused(run: Runs):
    enable = an_invocation("vault.audit_enable", {"path": "file", "type": "file", "options": {"file_path": "discard"}})

    enabled = run(enable)

    assert (enabled.kind, "use declarative" in enabled.text) == (OutcomeKind.FAILED, True)
    assert run(an_invocation("vault.audit_list", {})).output == {"paths": []}
    assert run(enable.model_copy(update={"mode": Mode.PROBE})).detail == "not applied"
    assert run(an_invocation("vault.audit_disable", {"path": "file"})).http_status == 204


@pytest.mark.parametrize("path", ["../sys/seal", "a/../../b", "/x", "x//y", "x?version=1", "x#", "a b", "..", "x/."])
def test_a_path_that_leads_elsewhere_is_refused(run: Runs, path: str):
    with pytest.raises(InputRefused):
        run(an_invocation("vault.kv_get", {"mount": "secret", "path": path}))


def test_a_missing_secret_of_the_connection_is_unavailable(bao: Bao):
    connection = a_connection("vault", base_url=bao.url, headers={"X-Vault-Token": {"secret": "env:GONE"}})

    with pytest.raises(Unavailable):
        Runs(a_toolbox(connection))(an_invocation("vault.kv_get", PATH))


def test_a_rotated_token_counts_at_the_next_use(run: Runs):
    environment = run.box.secrets.environment  # type: ignore[attr-defined]
    environment["VAULT_TOKEN"] = "wrong"
    assert run(an_invocation("vault.kv_version", PATH)).http_status == 403

    environment["VAULT_TOKEN"] = ROOT

    assert run(an_invocation("vault.kv_version", PATH)).output["version"] == 0


def test_an_action_that_makes_a_secret_needs_a_place_to_keep_it(bao: Bao):
    connection = a_connection("vault", base_url=bao.url)

    with pytest.raises(Denied, match="folder"):
        Runs(a_toolbox(connection))(an_invocation("vault.login_approle", {}))


def test_the_described_input_holds_no_secret_value():
    described = next(tool for tool in BUILTIN.describe() if tool["tool"] == "vault")

    assert "generate" in json.dumps(described)
