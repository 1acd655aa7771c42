"""Following over a WebSocket."""

import pytest
from tests.builders.following import FRIEND, PlanClosed
from websockets.exceptions import InvalidStatus


def refused(site, **how):
    with pytest.raises(InvalidStatus) as raised, site.talking(**how):
        pass
    return raised.value.response.status_code


def test_the_same_events_come_one_in_each_message(site):
    with site.talking() as talker, site.following() as follower:
        site.app.happen(PlanClosed, PlanClosed)
        said = [talker.next(), talker.next()]

        assert [{"event": "message", **each} for each in said] == follower.take(2)
    assert talker.opened["type"] == "open"


def test_a_client_turns_to_other_events_and_back_to_an_earlier_place(site):
    site.app.happen(stream="plan_old")
    with site.talking("?subject=plan_none") as talker:
        site.app.happen(stream="plan_new")
        talker.say(type="subscribe", after="0", types=["PlanClosed"])
        said = [talker.next() for _ in range(3)]

    assert [each.get("subject", each["type"]) for each in said] == ["open", "plan_old", "plan_new"]


def test_a_ping_is_answered_and_silence_is_broken(site):
    with site.talking() as talker:
        talker.say(type="ping")

        assert [talker.next()["type"] for _ in range(2)] == ["pong", "heartbeat"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('{"type":"unknown"}', "message-refused"),
        ("no json", "message-refused"),
        ('{"type":"subscribe","token":"x"}', "message-refused"),
        ('{"type":"subscribe","after":"99999"}', "position-unknown"),
        ('{"type":"subscribe","types":["EvidenceExported"]}', "role-required"),
        (b"binary", "message-refused"),
    ],
)
def test_what_no_client_may_say_ends_the_conversation(site, message, code):
    with site.talking() as talker:
        talker.socket.send(message)

        last, close = talker.until_closed()

    assert (last["type"], last["code"], close) == ("end", code, 1008)


def test_a_message_that_is_too_long_is_not_read(site):
    with site.talking() as talker:
        talker.socket.send('{"type":"ping"}' + " " * 4096)

        assert talker.until_closed()[1] == 1009


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "file://", "http://["])
def test_a_page_of_another_origin_is_refused(site, origin):
    headers = {"Authorization": f"Bearer {site.app.token()}", "Origin": origin}

    assert refused(site, headers=headers) == 403


def test_a_page_of_our_own_or_of_a_listed_origin_is_served(site):
    for origin in (f"http://127.0.0.1:{site.port}", FRIEND):
        headers = {"Authorization": f"Bearer {site.app.token()}", "Origin": origin}
        with site.talking(headers=headers) as talker:
            assert talker.opened["type"] == "open"


def test_whoever_proves_nothing_or_proves_it_in_the_address_is_refused(site):
    token = site.app.token()

    assert refused(site, headers={}) == 401
    assert refused(site, headers={}, query=f"?token={token}") == 401
    assert refused(site, query=f"?access_token={token}") == 422
    assert refused(site, headers={}, query="?ticket=nonsense") == 401
    assert refused(site, query="?types=NoSuchThing") == 422
    assert refused(site, query="?after=99999") == 422
    assert refused(site, query="?types=EvidenceExported") == 403
