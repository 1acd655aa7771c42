"""What Terraform makes on Google Cloud holds together, is what the functions say, and allows no more than it needs.

No provider can be had here, so attributes are not compared with its schema; all that is named is looked for.
"""

import re
from pathlib import Path

import hcl2
import pytest
import yaml

from carapulse.kernel.message import QUEUES
from carapulse.settings import Settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "infra" / "gcp"
TEXTS = {each.name: each.read_text() for each in sorted(FOLDER.glob("*.tf"))}
KNOWN = {f"CARAPULSE_{name.upper()}" for name in Settings.model_fields}
FUNCTIONS = {each.parent.name: yaml.safe_load(each.read_text()) for each in ROOT.glob("functions/*/service.yml")}
FED = {name for name in FUNCTIONS if "QueueFunction(" in (ROOT / "functions" / name / "main.py").read_text()}
ROLES = {
    "roles/iam.serviceAccountTokenCreator",
    "roles/pubsub.publisher",
    "roles/pubsub.subscriber",
    "roles/secretmanager.secretAccessor",
    "roles/storage.objectUser",
    "roles/storage.objectViewer",
}
"""Every role that is given to anybody."""


def plain(value):
    """Return a value as it is meant: what the parser leaves in quotes without them."""
    if isinstance(value, dict):
        return {plain(name): plain(each) for name, each in value.items() if not name.startswith("__")}
    if isinstance(value, list):
        return [plain(each) for each in value]
    quoted = isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"'
    return value[1:-1] if quoted else value


PARSED = {name: plain(hcl2.loads(text)) for name, text in TEXTS.items()}


def blocks(kind):
    return [each for parsed in PARSED.values() for each in parsed.get(kind, [])]


RESOURCES = {
    f"{kind}.{name}": body
    for each in blocks("resource")
    for kind, named in each.items()
    for name, body in named.items()
}
LOCALS = {name: value for each in blocks("locals") for name, value in each.items()}
VARIABLES = {name: body for each in blocks("variable") for name, body in each.items()}


def of(kind):
    return {name: body for name, body in RESOURCES.items() if name.startswith(f"{kind}.")}


def unwanted(resources):
    """Yield each grant that is on more than a single thing, of a role that nobody looked at, or to everybody."""
    for name, body in resources.items():
        kind = name.partition(".")[0]
        if "_iam_" not in kind:
            continue
        if re.match("google_(project|folder|organization)_", kind) or not kind.endswith("_iam_member"):
            yield f"{name}: it is about more than one thing"
        if body["role"] not in ROLES:
            yield f"{name}: {body['role']}"
        if not re.fullmatch(r"\$\{local\.(members\[each\.(key|value\[0\])\]|pubsub)\}", body["member"]):
            yield f"{name}: {body['member']}"


def test_all_that_is_named_is_there():
    text = "\n".join(TEXTS.values())
    named = set(re.findall(r"(?<![\w.\"])(google_[a-z0-9_]+\.[a-z_]+)", text))

    assert named
    assert named - RESOURCES.keys() - {"google_project.here"} == set()
    assert set(re.findall(r"\bvar\.([a-z_]+)", text)) == VARIABLES.keys()
    assert set(re.findall(r"\blocal\.([a-z_]+)", text)) == LOCALS.keys()


def test_each_function_is_made_of_what_its_service_says():
    service = RESOURCES["google_cloud_run_v2_service.function"]
    job = RESOURCES["google_cloud_run_v2_job.function"]
    template = service["template"][0]

    assert 'fileset(local.folder, "*/service.yml")' in LOCALS["told"]
    assert (service["for_each"], job["for_each"]) == ("${local.services}", "${local.jobs}")
    assert template["timeout"] == "${each.value.timeoutSeconds}s"
    assert template["max_instance_request_concurrency"] == "${each.value.containerConcurrency}"
    assert template["containers"][0]["args"] == "${each.value.containers[0].args}"
    assert (
        job["template"][0]["template"][0]["containers"][0]["args"] == "${each.value.template.spec.containers[0].args}"
    )


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_service_says_all_that_is_read_of_it(name):
    told = FUNCTIONS[name]
    spec = told["spec"] if told["kind"] == "Job" else told["spec"]["template"]["spec"]
    wanted = {"Service": {"timeoutSeconds", "containerConcurrency", "containers"}, "Job": {"backoffLimit", "template"}}

    assert wanted[told["kind"]] <= spec.keys()
    assert told["metadata"]["annotations"]["carapulse.dev/description"]
    assert re.fullmatch("[a-z][a-z0-9-]{5,29}", f"carapulse-{name}"), "an account's name is no longer"


def test_each_queue_is_pushed_to_the_function_that_works_it_off():
    assert LOCALS["fed"].keys() == FED
    assert set(LOCALS["fed"].values()) == QUEUES
    assert LOCALS["fed"]["execution"] == "executions"
    assert LOCALS["pushed"] == '${setunion(keys(local.fed), ["scheduler"])}'


def test_a_push_bears_a_token_for_the_audience_that_its_function_expects():
    account = "${google_service_account.push.email}"
    (target,) = RESOURCES["google_cloud_scheduler_job.minute"]["http_target"]
    (config,) = RESOURCES["google_pubsub_subscription.queue"]["push_config"]
    expected = RESOURCES["google_cloud_run_v2_service.function"]["template"][0]["containers"][0]["dynamic"][0]["env"]

    assert config["oidc_token"] == [{"service_account_email": account, "audience": "${local.audiences[each.key]}"}]
    assert target["oidc_token"] == [{"service_account_email": account, "audience": '${local.audiences["scheduler"]}'}]
    assert 'CARAPULSE_PUSH = "google"' in expected["for_each"]
    assert "CARAPULSE_PUSH_AUDIENCE = local.audiences[each.key]" in expected["for_each"]
    assert "CARAPULSE_PUSH_ACCOUNT = google_service_account.push.email" in expected["for_each"]


def test_cloud_run_leaves_tokens_whole_and_lets_in_strangers_only_where_they_are_expected():
    service = RESOURCES["google_cloud_run_v2_service.function"]

    assert service["invoker_iam_disabled"] is True
    assert service["ingress"] == (
        '${contains(local.pushed, each.key) ? "INGRESS_TRAFFIC_INTERNAL_ONLY" : "INGRESS_TRAFFIC_ALL"}'
    )


def test_a_queue_gives_up_later_than_the_functions_do_and_tells_somebody():
    queue = RESOURCES["google_pubsub_subscription.queue"]
    (dead,) = queue["dead_letter_policy"]
    alarms = [body["dynamic"][0]["conditions"]["for_each"] for body in of("google_monitoring_alert_policy").values()]

    assert dead["max_delivery_attempts"] > Settings.model_fields["max_deliveries"].default
    assert dead["dead_letter_topic"] == "${google_pubsub_topic.dead[each.value].id}"
    assert queue["ack_deadline_seconds"] == "${min(600, local.services[each.key].timeoutSeconds + 10)}"
    assert sorted(alarms) == ["${google_pubsub_subscription.dead}", "${google_pubsub_subscription.queue}"]


def test_every_setting_that_is_given_exists():
    given = set(re.findall(r"CARAPULSE_[A-Z_]+[A-Z]", "\n".join(TEXTS.values())))

    assert {"CARAPULSE_QUEUE", "CARAPULSE_PUSH_AUDIENCE", "CARAPULSE_DATABASE_OWNER_URL"} <= given
    assert given <= KNOWN


def test_each_function_has_an_account_of_its_own_and_nobody_has_a_role_on_more_than_one_thing():
    assert RESOURCES["google_service_account.function"]["for_each"] == "${local.told}"
    assert list(unwanted(RESOURCES)) == []


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("google_project_iam_member", {}),
        ("google_storage_bucket_iam_binding", {}),
        ("google_pubsub_topic_iam_member", {"role": "roles/editor"}),
        ("google_pubsub_topic_iam_member", {"role": "roles/pubsub.admin"}),
        ("google_cloud_run_v2_service_iam_member", {"member": "allUsers"}),
    ],
)
def test_a_grant_that_is_too_wide_is_seen(kind, changed):
    good = {"role": "roles/pubsub.publisher", "member": "${local.members[each.key]}"}

    assert list(unwanted({"google_pubsub_topic_iam_member.x": good})) == []
    assert list(unwanted({f"{kind}.x": good | changed}))


def test_a_blob_is_put_and_forgotten_by_two_functions_and_read_by_one_more():
    given = of("google_storage_bucket_iam_member")
    blobs = {body["role"]: body["for_each"] for body in given.values() if "storage_bucket.blobs" in body["bucket"]}

    assert blobs == {
        "roles/storage.objectUser": '${toset(["execution", "scheduler"])}',
        "roles/storage.objectViewer": '${toset(["api"])}',
    }


def test_only_what_runs_tools_may_read_their_secrets():
    assert 'setproduct(["collection", "execution"], var.tool_secrets)' in LOCALS["reading"]
    assert RESOURCES["google_secret_manager_secret_iam_member.tools"]["for_each"] == "${local.reading}"


def test_only_what_migrates_knows_the_owner_of_the_database():
    owning = {name for name, body in RESOURCES.items() if "owner-url" in str(body)}

    assert owning == {
        "google_cloud_run_v2_job.function",
        "google_secret_manager_secret.database",
        "google_secret_manager_secret_iam_member.database_owner_url",
    }
    assert RESOURCES["google_secret_manager_secret_iam_member.database_owner_url"]["for_each"] == "${local.jobs}"
    assert {name for name, told in FUNCTIONS.items() if told["kind"] == "Job"} == {"migrate"}
    assert not of("google_secret_manager_secret_version"), "a value that Terraform knows lies in its state"


def test_what_is_kept_is_closed_and_can_be_brought_back():
    (settings,) = RESOURCES["google_sql_database_instance.carapulse"]["settings"]
    (address,) = settings["ip_configuration"]
    volumes = [body["template"][0] for body in of("google_cloud_run_v2_service").values()]
    volumes += [body["template"][0]["template"][0] for body in of("google_cloud_run_v2_job").values()]

    assert (address["ipv4_enabled"], address["ssl_mode"]) == (False, "ENCRYPTED_ONLY")
    assert settings["backup_configuration"][0]["point_in_time_recovery_enabled"] is True
    assert [each["volumes"][0]["gcs"][0]["read_only"] for each in volumes] == [True, True]
    for body in of("google_storage_bucket").values():
        assert (body["uniform_bucket_level_access"], body["public_access_prevention"]) == (True, "enforced")
        assert body["versioning"] == [{"enabled": True}]
    assert RESOURCES["google_storage_bucket.blobs"]["soft_delete_policy"]


def test_the_image_is_named_by_its_digest():
    (validation,) = VARIABLES["image"]["validation"]

    assert "@sha256:[0-9a-f]{64}$" in validation["condition"]
