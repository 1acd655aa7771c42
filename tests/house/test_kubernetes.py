"""What kustomize renders is what Kubernetes knows, is closed as it should be, and names only what there is.

Resources of Knative and KEDA have no schema here: what they have in common with pods is held to the same rules, and the
rest is compared with what the functions and the queues are called.
"""

import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from carapulse.kernel.message import QUEUES
from carapulse.settings import Settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "infra" / "kubernetes"
WAYS = ["base", "keda", "knative"]
MANUAL = ROOT / "docs" / "how-to" / "run-on-kubernetes.md"
KUBECTL = Path(sys.executable).with_name("kubectl")
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
KNOWN = {f"CARAPULSE_{name.upper()}" for name in Settings.model_fields}
OTHERS = {"serving.knative.dev", "sources.knative.dev", "keda.sh"}
FUNCTIONS = {each.parent.name for each in (ROOT / "functions").glob("*/service.yml")}


@cache
def rendered(folder):
    found = subprocess.run([KUBECTL, "kustomize", folder], check=False, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    return list(yaml.safe_load_all(found.stdout))


def way(name):
    return rendered(FOLDER / name)


def of(name, kind, group=""):
    return {
        each["metadata"]["name"]: each for each in way(name) if each["kind"] == kind and group in each["apiVersion"]
    }


def pods(objects):
    """Return the pods that objects make, by the object's name."""
    made = [each for each in objects if "containers" in each.get("spec", {}).get("template", {}).get("spec", {})]
    return {each["metadata"]["name"]: each["spec"]["template"] for each in made}


EVERY_POD = [(name, pod) for name in WAYS for pod in pods(way(name))]


@pytest.mark.parametrize("name", WAYS)
def test_every_object_is_what_kubernetes_knows(name):
    ours = [each for each in way(name) if each["apiVersion"].partition("/")[0] not in OTHERS]

    for each in ours:
        kubernetes_validate.validate(each, "1.37", strict=True)

    assert len(ours) > 5
    assert not [each for each in ours if "namespace" in each["metadata"]]


def test_a_field_that_kubernetes_does_not_know_would_be_found():
    wrong = {**of("base", "PodDisruptionBudget")["carapulse"], "spec": {"minAvaible": 1}}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.37", strict=True)


@pytest.mark.parametrize(("name", "pod"), EVERY_POD)
def test_a_pod_is_restricted_and_cannot_write_to_its_own_programs(name, pod):
    told = pods(way(name))[pod]
    (container,) = told["spec"]["containers"]

    assert container["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert (told["spec"]["serviceAccountName"], told["spec"]["automountServiceAccountToken"]) == ("carapulse", False)
    assert {"hostNetwork", "hostPID", "hostIPC"}.isdisjoint(told["spec"])
    assert container["resources"]["limits"].keys() == {"memory"}
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}


@pytest.mark.parametrize(("name", "pod"), EVERY_POD)
def test_a_pod_is_of_this_version_and_under_the_rules_of_the_network(name, pod):
    told = pods(way(name))[pod]
    closed = of(name, "NetworkPolicy")["carapulse-nothing"]["spec"]

    assert [each["image"] for each in told["spec"]["containers"]] == [f"carapulse:{VERSION}"]
    assert closed["podSelector"]["matchLabels"].items() <= told["metadata"]["labels"].items()
    assert closed["policyTypes"] == ["Ingress", "Egress"]
    assert closed.keys() == {"podSelector", "policyTypes"}


@pytest.mark.parametrize(("name", "pod"), EVERY_POD)
def test_settings_of_a_pod_exist_and_each_file_that_they_name_is_mounted(name, pod):
    told = pods(way(name))[pod]["spec"]
    (container,) = told["containers"]
    given = settings_of(name, container)
    mounted = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    secrets = {
        f"{mounted[each['name']]}/{item['path']}"
        for each in told["volumes"]
        if "secret" in each
        for item in each["secret"]["items"]
    }

    assert container["envFrom"] == [{"configMapRef": {"name": "carapulse"}}]
    assert given.keys() <= KNOWN
    assert {value for setting, value in given.items() if setting.endswith("_URL_FILE")} == secrets
    assert given["CARAPULSE_DATA_DIR"] in mounted.values()
    assert str(Path(given["CARAPULSE_ISSUERS_FILE"]).parent) in mounted.values()
    assert mounted.keys() == {each["name"] for each in told["volumes"]}


def settings_of(name, container):
    own = {each["name"]: each["value"] for each in container.get("env", [])}
    return of(name, "ConfigMap")["carapulse"]["data"] | own


@pytest.mark.parametrize("name", WAYS)
def test_the_owners_password_is_given_to_what_migrates_and_not_to_what_serves(name):
    who = {pod for pod, told in pods(way(name)).items() if "database-owner-url" in yaml.dump(told)}

    assert who == {"carapulse-migrate"}


@pytest.mark.parametrize("name", ["base", "keda"])
def test_services_budgets_and_scaling_are_about_pods_that_there_are(name):
    pod = pods(way(name))["carapulse"]
    scaled = of(name, "HorizontalPodAutoscaler") or of(name, "ScaledObject", "keda.sh")
    ports = {each["name"] for each in pod["spec"]["containers"][0]["ports"]}

    for selector in (
        of(name, "Service")["carapulse"]["spec"]["selector"],
        of(name, "PodDisruptionBudget")["carapulse"]["spec"]["selector"]["matchLabels"],
        of(name, "NetworkPolicy")["carapulse-asked"]["spec"]["podSelector"]["matchLabels"],
    ):
        assert selector.items() <= pod["metadata"]["labels"].items()
    assert {each["targetPort"] for each in of(name, "Service")["carapulse"]["spec"]["ports"]} == ports
    assert [each["spec"]["scaleTargetRef"]["name"] for each in scaled.values()] == ["carapulse"]
    assert "replicas" not in of(name, "Deployment")["carapulse"]["spec"], "the scaler says how many"


def test_keda_looks_at_every_queue_and_is_the_only_one_that_scales():
    (scaled,) = of("keda", "ScaledObject", "keda.sh").values()
    known = of("keda", "TriggerAuthentication", "keda.sh")

    assert {each["metadata"]["queueURLFromEnv"] for each in scaled["spec"]["triggers"]} == {
        f"SQS_{queue.upper()}" for queue in QUEUES
    }
    assert {each["authenticationRef"]["name"] for each in scaled["spec"]["triggers"]} == known.keys()
    assert not of("keda", "HorizontalPodAutoscaler")


def test_knative_has_every_function_as_its_service_says_it():
    served = of("knative", "Service", "serving.knative.dev")

    assert {each.removeprefix("carapulse-") for each in served} == FUNCTIONS - {"migrate"}
    for name, each in served.items():
        said = yaml.safe_load((ROOT / "functions" / name.removeprefix("carapulse-") / "service.yml").read_text())
        assert container_of(each)["args"] == container_of(said)["args"]
        assert "securityContext" not in each["spec"]["template"]["spec"], (
            "Knative refuses it unless it is told otherwise"
        )


def container_of(service):
    return service["spec"]["template"]["spec"]["containers"][0]


def test_the_minute_comes_to_a_function_that_there_is():
    (source,) = of("knative", "PingSource", "sources.knative.dev").values()

    assert source["spec"]["schedule"] == "* * * * *"
    ticked = of("knative", "Service", "serving.knative.dev")[source["spec"]["sink"]["ref"]["name"]]
    assert {"name": "CARAPULSE_PUSH", "value": "cloudevents"} in container_of(ticked)["env"]
    assert ticked["metadata"]["labels"]["networking.knative.dev/visibility"] == "cluster-local"


@pytest.mark.parametrize("name", WAYS)
def test_the_kustomization_that_the_manual_shows_can_be_rendered(name, tmp_path):
    (own,) = re.findall(r"```yaml\n(apiVersion: kustomize.+?)```", MANUAL.read_text(), re.DOTALL)
    (tmp_path / "carapulse").symlink_to(ROOT)
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "kustomization.yaml").write_text(own.replace("kubernetes/base", f"kubernetes/{name}"))
    (tmp_path / "ours" / "issuers.yaml").write_text("issuers: []")

    objects = rendered(tmp_path / "ours")

    (settings,) = (each["data"] for each in objects if each["metadata"]["name"] == "carapulse" and "data" in each)
    assert {each["metadata"]["namespace"] for each in objects} == {"carapulse"}
    assert {container_of(each)["image"] for each in objects if "template" in each.get("spec", {})} == {
        f"registry.example.com/carapulse:{VERSION}"
    }
    assert [each for each in objects if each["metadata"]["name"] == "carapulse-files"]
    assert settings.keys() - of(name, "ConfigMap")["carapulse"]["data"].keys() == {"CARAPULSE_WORKERS"}
