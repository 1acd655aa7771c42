"""What there is, as a source reports it."""

from typing import Final

from carapulse.examples import Examples

REFRESHING: Final[Examples] = {
    "A service, its namespace and what depends on it": {
        "source": "cmdb",
        "complete": False,
        "nodes": [
            {"id": "ns/shop", "kind": "namespace", "name": "shop"},
            {
                "id": "svc/checkout",
                "kind": "service",
                "name": "checkout",
                "labels": {"tier": "1"},
                "owner_team": "payments",
            },
            {"id": "svc/cart", "kind": "service", "name": "cart", "owner_team": "shop"},
        ],
        "edges": [
            {"from": "ns/shop", "to": "svc/checkout", "relation": "contains"},
            {"from": "svc/cart", "to": "svc/checkout", "relation": "depends_on"},
        ],
    }
}
