"""The context over HTTP: reports, services, the graph, snapshots and how they differ."""

from concurrent.futures import ThreadPoolExecutor

import pytest


def a_node(node_id, kind="service", **facts):
    return {"id": node_id, "kind": kind, "name": node_id.rpartition("/")[2], **facts}


def an_edge(start, end, relation="calls", **facts):
    return {"from": start, "to": end, "relation": relation, **facts}


SHOP = [
    a_node("service/shop", owner_team="web", labels={"tier": "gold"}),
    a_node("service/cart"),
    a_node("service/pay"),
]
CALLS = [an_edge("service/shop", "service/cart"), an_edge("service/cart", "service/pay")]


def ids(answer):
    return [each["id"] for each in answer.json()["data"]]


def faults(answer):
    assert answer.status_code == 422, answer.text
    return {(each["pointer"], each["code"]) for each in answer.json()["errors"]}


def graph(ask, service, **query):
    shown = ask("GET", "/v1/context/graph", params={"service": service, **query}).json()
    return {each["id"]: each["depth"] for each in shown["nodes"]}


def test_what_is_reported_is_there_with_a_snapshot_and_a_fact(app, ask, report):
    answer = report("static", SHOP, CALLS, by="mapper")

    assert answer.status_code == 201
    snapshot = answer.json()["snapshot"]
    assert (snapshot["node_count"], snapshot["edge_count"], snapshot["taken_by"]) == (3, 2, "mapper")
    assert answer.json()["nodes"] == {"added": 3, "removed": 0, "changed": 0}
    shown = ask("GET", answer.headers["location"])
    assert [each["id"] for each in shown.json()["nodes"]] == ["service/cart", "service/pay", "service/shop"]
    assert shown.json()["digest"] == snapshot["digest"]
    assert shown.headers["etag"]
    (fact,) = app.happened(snapshot["id"], ask.name)
    assert (fact.type, fact.actor, fact.body["digest"]) == ("ContextRefreshed", "mapper", snapshot["digest"])


def test_a_source_that_sees_less_takes_back_only_what_it_said_itself(ask, report):
    report("static", SHOP, CALLS)
    report("alerts", [a_node("service/cart", owner_team="pay team"), a_node("alert/1", "alert")])

    answer = report("static", SHOP[:1], complete=True).json()

    assert (answer["nodes"]["removed"], answer["edges"]["removed"]) == (1, 2)
    assert ids(ask("GET", "/v1/context/services")) == ["service/cart", "service/shop"]
    assert ask("GET", "/v1/context/nodes/service/pay").status_code == 404


def test_a_partial_report_adds_to_what_the_source_said(ask, report):
    report("static", SHOP)

    report("static", [a_node("service/mail")], [an_edge("service/shop", "service/mail")])

    assert ids(ask("GET", "/v1/context/services")) == ["service/cart", "service/mail", "service/pay", "service/shop"]


def test_who_spoke_last_of_a_node_is_believed_and_repeating_is_not_speaking(ask, report):
    report("a", [a_node("service/shop", owner_team="first")])
    report("b", [a_node("service/shop", owner_team="second")])
    report("a", [a_node("service/shop", owner_team="first")])

    shown = ask("GET", "/v1/context/nodes/service/shop").json()
    snapshots = ask("GET", "/v1/context/snapshots").json()["data"]

    assert (shown["owner_team"], shown["source"]) == ("second", "b")
    assert len(snapshots) == 3
    assert snapshots[0]["digest"] == snapshots[1]["digest"] != snapshots[2]["digest"]


def test_an_edge_whose_end_another_source_took_away_is_back_when_the_end_is(ask, report):
    report("k8s", [a_node("ns/shop", "k8s.namespace")])
    report("static", SHOP[:1], [an_edge("service/shop", "ns/shop", "runs_in")])

    without = report("k8s", complete=True).json()
    assert (without["snapshot"]["edge_count"], without["edges"]["removed"]) == (0, 1)
    assert graph(ask, "shop") == {"service/shop": 0}

    report("k8s", [a_node("ns/shop", "k8s.namespace")], complete=True)
    assert graph(ask, "shop") == {"service/shop": 0, "ns/shop": 1}


def test_services_are_filtered_and_turned_by_pages(ask, report):
    report("static", [*SHOP, a_node("ns/shop", "k8s.namespace", labels={"tier": "gold"})])

    assert ids(ask("GET", "/v1/context/services?label=tier%3Dgold")) == ["service/shop"]
    assert ids(ask("GET", "/v1/context/services?label=tier")) == ["service/shop"]
    assert ids(ask("GET", "/v1/context/services?label=tier%3Dlead")) == []
    assert ids(ask("GET", "/v1/context/services?owner_team=web")) == ["service/shop"]
    first = ask("GET", "/v1/context/services?limit=2")
    second = ask("GET", first.headers["link"].partition(">")[0][1:])
    assert ids(first) + ids(second) == ["service/cart", "service/pay", "service/shop"]


def test_the_graph_is_followed_one_way_or_both_and_only_so_far(ask, report):
    report("static", SHOP, [*CALLS, an_edge("service/pay", "service/shop")])

    assert graph(ask, "service/shop", depth=1, direction="out") == {"service/shop": 0, "service/cart": 1}
    assert graph(ask, "service/shop", depth=1, direction="in") == {"service/shop": 0, "service/pay": 1}
    assert graph(ask, "shop", depth=5) == {"service/shop": 0, "service/cart": 1, "service/pay": 1}
    assert ask("GET", "/v1/context/graph?service=nobody").json()["code"] == "context-node-not-found"


def test_a_large_graph_is_cut_and_says_so(ask, report):
    many = [a_node(f"service/leaf-{number:03}") for number in range(600)]
    report("static", [a_node("service/hub"), *many], [an_edge("service/hub", each["id"]) for each in many])

    shown = ask("GET", "/v1/context/graph?service=hub").json()

    assert (len(shown["nodes"]), len(shown["edges"]), shown["truncated"]) == (500, 499, True)


def test_a_diff_tells_what_came_went_and_changed_in_order(ask, report):
    base = report("static", SHOP, CALLS).json()["snapshot"]["id"]
    after = [a_node("service/cart", labels={"tier": "lead"}), SHOP[0], a_node("service/a"), a_node("service/b")]
    edges = [{**CALLS[0], "labels": {"port": "443"}}, an_edge("service/a", "service/b")]
    now = report("static", after, edges, complete=True).json()["snapshot"]["id"]

    diff = ask("GET", f"/v1/context/snapshots/{now}/diff?base={base}").json()

    assert [each["id"] for each in diff["added_nodes"]] == ["service/a", "service/b"]
    assert [each["id"] for each in diff["removed_nodes"]] == ["service/pay"]
    assert [(each["before"]["labels"], each["after"]["labels"]) for each in diff["changed_nodes"]] == [
        ({}, {"tier": "lead"})
    ]
    assert [(each["from"], each["to"]) for each in diff["added_edges"]] == [("service/a", "service/b")]
    assert [each["to"] for each in diff["removed_edges"]] == ["service/pay"]
    assert [each["after"]["labels"] for each in diff["changed_edges"]] == [{"port": "443"}]
    back = ask("GET", f"/v1/context/snapshots/{base}/diff?base={now}").json()
    assert back["added_nodes"] == diff["removed_nodes"]


def test_what_contradicts_itself_or_what_is_known_is_refused_with_its_place(ask, report):
    report("k8s", [a_node("ns/shop", "k8s.namespace")])

    refused = report(
        "static",
        [*SHOP, a_node("service/shop"), a_node("ns/shop")],
        [CALLS[0], CALLS[0], an_edge("service/shop", "service/shop"), an_edge("service/shop", "service/none")],
    )

    assert refused.json()["code"] == "context-invalid"
    assert faults(refused) == {
        ("/nodes/3", "duplicate-node"),
        ("/nodes/4/kind", "another-kind"),
        ("/edges/1", "duplicate-edge"),
        ("/edges/2/to", "self-edge"),
        ("/edges/3/to", "dangling-edge"),
    }
    assert ids(ask("GET", "/v1/context/services")) == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"nodes": [a_node("with space")]}, "/nodes/0/id"),
        ({"nodes": [a_node("a//b")]}, "/nodes/0/id"),
        ({"nodes": [a_node("a", kind="Kind")]}, "/nodes/0/kind"),
        ({"nodes": [{**a_node("a"), "name": "a\nb"}]}, "/nodes/0/name"),
        ({"nodes": [a_node("a", labels={"k": "v" * 254})]}, "/nodes/0/labels/k"),
        ({"nodes": [a_node("a", labels={f"k{number}": "" for number in range(51)})]}, "/nodes/0/labels"),
        ({"nodes": [a_node("a", tenant="rival")]}, "/nodes/0/tenant"),
        ({"edges": [{"from": "a", "to": "b", "relation": ""}]}, "/edges/0/relation"),
        ({"complete": "yes"}, "/complete"),
        ({"source": "No Name", "complete": True}, "/source"),
        ({}, ""),
    ],
)
def test_what_makes_no_sense_is_unprocessable(ask, change, pointer):
    refused = ask("POST", "/v1/context:refresh", {"source": "static", **change})

    assert any(place.startswith(pointer) for place, _ in faults(refused))


def test_another_tenant_sees_nothing_of_it(ask, report):
    mine = report("static", SHOP, CALLS).json()["snapshot"]["id"]
    theirs = report("static", SHOP[:1], tenant="rival").json()["snapshot"]["id"]

    assert ids(ask("GET", "/v1/context/services", tenant="rival")) == ["service/shop"]
    for path in (
        "/v1/context/nodes/service/cart",
        "/v1/context/graph?service=service/cart",
        f"/v1/context/snapshots/{mine}",
        f"/v1/context/snapshots/{theirs}/diff?base={mine}",
    ):
        answer = ask("GET", path, tenant="rival")
        assert answer.status_code == 404
    nobodys = ask("GET", "/v1/context/snapshots/snapshot_0", tenant="rival").json()
    others = ask("GET", f"/v1/context/snapshots/{mine}", tenant="rival").json()
    assert {**nobodys, "trace_id": "", "snapshot_id": ""} == {**others, "trace_id": "", "snapshot_id": ""}


@pytest.mark.parametrize("role", ["viewer", "auditor", "approver", "agent", "operator"])
def test_who_only_looks_reports_nothing(ask, report, role):
    assert report("static", SHOP, role=role).status_code == 403
    assert ask("GET", "/v1/context/services", role=role).status_code == 200


def test_a_node_answers_to_reading_alone_also_where_its_id_holds_slashes_and_colons(ask, report):
    report("aws", [a_node("aws/s3/arn:aws:s3:::logs", "aws.resource")])

    assert ask("GET", "/v1/context/nodes/aws/s3/arn:aws:s3:::logs").json()["id"] == "aws/s3/arn:aws:s3:::logs"
    refused = ask("DELETE", "/v1/context/nodes/aws/s3/logs")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


def test_sources_that_report_at_once_lose_nothing_of_each_other(app, ask, report):
    def refresh(number):
        return report(f"source{number}", [a_node(f"service/s{number}")], by=f"s{number}").json()["snapshot"][
            "node_count"
        ]

    with ThreadPoolExecutor(6) as threads:
        counts = list(threads.map(refresh, range(6)))

    assert sorted(counts) == [1, 2, 3, 4, 5, 6]
    assert len(ids(ask("GET", "/v1/context/services"))) == 6
