"""What a key opened ends with the key."""

from datetime import timedelta

import pytest
from tests.builders.application import LAMPS
from tests.builders.clients import a_client
from tests.builders.following import Follower
from tests.builders.served import served
from tests.builders.shipped import the_shipped

from carapulse.bootstrap import make_app
from carapulse.identity.issuer import DevelopmentIssuer
from carapulse.runtime.areas import ROUTERS
from carapulse.runtime.http import app as http
from carapulse.settings import Settings


@pytest.fixture
def client(database, tmp_path):
    """Serve the whole application, and return who asks it as an administrator."""
    app = make_app(Settings(data_dir=tmp_path), database.app_url, shipped=the_shipped(LAMPS))
    token = DevelopmentIssuer.load_or_make(tmp_path).mint("acme", "ada", frozenset({"admin"}), timedelta(hours=1))
    with served(http.make_app(app, ROUTERS)) as url, a_client(url, timeout=5) as asking:
        asking.headers["Authorization"] = f"Bearer {token}"
        yield asking
    app.close()


def a_key(client):
    wanted = {"name": "screen", "kind": "service", "roles": ["viewer"], "expires_at": "2027-06-30T00:00:00Z"}
    made = client.post("/v1/api-keys", json=wanted).json()
    return f"/v1/api-keys/{made['key']['id']}", {"Authorization": f"Bearer {made['text']}"}


@pytest.mark.parametrize(
    ("verb", "body", "code"),
    [("revoke", {"reason": "it was in a log"}, "token-expired"), ("rotate", {}, "key-rotated")],
)
def test_what_a_key_opened_ends_with_the_key(client, verb, body, code):
    path, bearer = a_key(client)
    ticket = client.post("/v1/live:ticket", headers=bearer).json()["ticket"]

    with client.stream("GET", "/v1/events?types=PlanDrafted", headers=bearer) as answer:
        follower = Follower(answer.iter_lines())
        assert client.post(f"{path}:{verb}", json=body).is_success
        last = follower.next()
    del client.headers["Authorization"]
    refused = client.get(f"/v1/events?ticket={ticket}")

    assert last["event"] == code
    assert (refused.status_code, refused.json()["code"]) == (401, "ticket-refused")


def test_what_a_rotated_key_opened_ends_and_what_it_opens_from_then_on_ends_with_the_overlap(client):
    path, bearer = a_key(client)
    ticket = client.post("/v1/live:ticket", headers=bearer).json()["ticket"]

    with client.stream("GET", "/v1/events?types=PlanDrafted&after=0", headers=bearer) as answer:
        follower = Follower(answer.iter_lines())
        assert client.post(f"{path}:rotate", json={"overlap_s": 5}).is_success
        last = follower.next()
    del client.headers["Authorization"]
    refused = client.get(f"/v1/events?ticket={ticket}")
    again = client.post("/v1/live:ticket", headers=bearer).json()["ticket"]
    with client.stream("GET", f"/v1/events?types=PlanDrafted&after=0&ticket={again}") as answer:
        the_last = Follower(answer.iter_lines()).next()

    assert last["event"] == "key-rotated"
    assert (refused.status_code, refused.json()["code"]) == (401, "ticket-refused")
    assert the_last["event"] == "token-expired"
