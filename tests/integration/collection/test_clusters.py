"""Collectors of clusters, by the real kubectl: what is gone goes, and no cluster is taken for another."""

import pytest
from tests.world.clusters import Cluster
from tests.world.collecting import a_desk

PLACE = {"environment": "dev", "cluster_id": "eu"}


@pytest.fixture
def eu():
    return Cluster().shop()


@pytest.fixture
def us():
    return Cluster().shop()


@pytest.fixture
def desk(database, tmp_path, eu, us):
    with a_desk(database.app_url, tmp_path, eu=eu, us=us) as (desk, _):
        yield desk


def test_what_is_deleted_is_taken_back_by_the_next_run_and_another_cluster_keeps_its_own(desk, eu):
    desk.put("kube-eu", {"system": "kubectl", "context": PLACE})
    desk.put("kube-us", {"system": "kubectl", "context": {**PLACE, "cluster_id": "us"}})
    desk.minute()
    before = desk.nodes()

    eu.remove("deployments", "worker")
    desk.minute()

    assert before["kube-eu"] - desk.nodes()["kube-eu"] == {"k8s/eu/deployment/shop/worker"}
    assert "k8s/us/deployment/shop/worker" in desk.nodes()["kube-us"]
    assert before["kube-eu"].isdisjoint(before["kube-us"])
    assert ("k8s/eu/namespace/shop", "k8s/eu/deployment/shop/checkout", "contains") in desk.edges()
    assert ("k8s/eu/service/shop/checkout", "k8s/eu/deployment/shop/checkout", "targets") in desk.edges()
    assert ("k8s/eu/service/shop/checkout", "k8s/eu/deployment/shop/worker", "targets") not in desk.edges()
    assert desk.happened("ContextRefreshed") == [
        ("ContextRefreshed", "collector:kube-eu"),
        ("ContextRefreshed", "collector:kube-us"),
        ("ContextRefreshed", "collector:kube-eu"),
    ]
