"""Which connection is chosen: the one that fits most exactly, and never one by default."""

from pathlib import Path
from typing import Any

import pytest
from tests.builders.tools import BUILTIN

from carapulse.kernel.context import Context
from carapulse.tools.connections import Connection, Connections
from carapulse.tools.errors import AmbiguousConnection, ConnectionsInvalid, NoConnection


def connections(*matches: dict[str, Any], tool: str = "prometheus") -> Connections:
    return Connections(
        tuple(
            Connection.model_validate({"tool": tool, "name": f"c{number}", "match": match, "base_url": "http://x"})
            for number, match in enumerate(matches)
        )
    )


def chosen(found: Connections, tenant: str = "acme", **place: Any) -> str:
    return found.choose("prometheus", tenant, Context.model_validate({"environment": "prod", **place})).name


def test_the_most_exact_fit_is_chosen():
    found = connections(
        {"tenant": "acme"},
        {"tenant": "acme", "environment": "prod"},
        {"tenant": "acme", "environment": "prod", "cluster_id": "eu-1"},
    )

    assert (chosen(found), chosen(found, cluster_id="eu-1"), chosen(found, environment="dev")) == ("c1", "c2", "c0")


def test_several_values_may_be_listed():
    assert chosen(connections({"environment": ["dev", "prod"]})) == "c0"


@pytest.mark.parametrize(
    "match",
    [
        {"tenant": "other"},
        {"environment": "dev"},
        {"tenant": "acme", "cluster_id": "eu-2"},
        {"tenant": "acme", "namespace": "shop"},
        {"tenant": ["ac", "me"]},
    ],
)
def test_one_that_does_not_fit_is_not_chosen(match: dict[str, Any]):
    with pytest.raises(NoConnection):
        chosen(connections(match), cluster_id="eu-1")


def test_one_of_another_tool_is_not_chosen():
    with pytest.raises(NoConnection):
        chosen(connections({"tenant": "acme"}, tool="tempo"))


def test_two_that_fit_equally_are_refused():
    with pytest.raises(AmbiguousConnection) as refused:
        chosen(connections({"tenant": "acme"}, {"environment": "prod"}))

    assert refused.value.facts["connections"] == ["c0", "c1"]


GOOD = """
connections:
  - tool: git
    name: deploy
    match: {tenant: acme, environment: [dev, prod]}
    settings:
      repositories:
        deploy: {url: "https://git.example/deploy.git", protected_branches: [main], password: {secret: "env:GIT_TOKEN"}}
  - tool: prometheus
    name: eu
    match: {tenant: acme}
    base_url: https://prometheus.example/prom/
    headers: {Authorization: {secret: "file:/run/secrets/prom", prefix: "Bearer "}}
    may_reach: ["prometheus.example:443"]
"""


def loaded(tmp_path: Path, text: str) -> Connections:
    path = tmp_path / "connections.yaml"
    path.write_text(text)
    return Connections.load(path, BUILTIN)


def test_a_good_file_is_loaded(tmp_path: Path):
    found = loaded(tmp_path, GOOD)

    assert [each.name for each in found.all] == ["deploy", "eu"]
    assert found.all[1].base_url == "https://prometheus.example/prom"


@pytest.mark.parametrize(
    ("before", "after", "pointer"),
    [
        ("tool: git", "tool: gti", "/connections/0/tool"),
        ("match: {tenant: acme, environment: [dev, prod]}", "match: {}", "/connections/0/match"),
        ("match: {tenant: acme, environment: [dev, prod]}", "match: {tenantt: acme}", "/connections/0/match/tenantt"),
        (
            'url: "https://git.example/deploy.git"',
            'url: "ext::sh -c x"',
            "/connections/0/settings/repositories/deploy/url",
        ),
        (
            'url: "https://git.example/deploy.git"',
            'url: "--upload-pack=x"',
            "/connections/0/settings/repositories/deploy/url",
        ),
        ("protected_branches", "protected", "/connections/0/settings/repositories/deploy/protected"),
        ("env:GIT_TOKEN", "GIT_TOKEN", "/connections/0/settings/repositories/deploy/password/secret"),
        ("    base_url: https://prometheus.example/prom/\n", "", "/connections/1/base_url"),
        ("base_url: https:", "base_url: ftp:", "/connections/1/base_url"),
        ("prometheus.example:443", "prometheus.example", "/connections/1/may_reach/0"),
        ("name: eu", "name: eu\n    nmae: eu", "/connections/1/nmae"),
    ],
)
def test_a_faulty_file_stops_the_load_and_says_where(tmp_path: Path, before: str, after: str, pointer: str):
    assert before in GOOD

    with pytest.raises(ConnectionsInvalid) as refused:
        loaded(tmp_path, GOOD.replace(before, after, 1))

    assert pointer in {fault.pointer for fault in refused.value.faults}


def test_two_connections_of_one_name_are_refused(tmp_path: Path):
    again = GOOD + GOOD[GOOD.index("  - tool: prometheus") :]

    with pytest.raises(ConnectionsInvalid) as refused:
        loaded(tmp_path, again)

    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [("/connections/2/name", "twice")]
