"""What never leaves the program in clear text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carapulse.redaction import HIDDEN, redacted, redacted_text

JWT = "eyJhbGciOiJFZDI1NTE5In0.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"
PEM = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abc.def-ghi", "abc.def"),
        ("authorization: basic YWRhOnBhc3N3b3Jk", "YWRhOnBhc3N3b3Jk"),
        (f"the token is {JWT}", "eyJ"),
        (f"key:\n{PEM}\nend", "MC4CAQ"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEcut", "MIIEcut"),
        ("postgresql://ada:s3cret@db:5432/x", "s3cret"),
        ("https://x-access-token:abc@git.example/x.git", "abc@"),
        ("GET /hook?token=abcdef&x=1", "abcdef"),
        ('{"password": "hunter2"}', "hunter2"),
        ("password='two words'", "two words"),
        ("client_secret: xyzzy", "xyzzy"),
        ("AKIAIOSFODNN7EXAMPLE", "AKIA"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "ghp_"),
        ("the key cpk_0123456789ab_-bcdefghijklmnopqrstuvwxyz0123456789ABCDE_F", "opqrst"),
        ("hvs.CAESIJ0123456789abcdef", "CAESIJ"),
        ("xoxb-12345678901-abcdef", "xoxb"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9"),
        ("/v1/webhooks/alertmanager/src_1/whpath_0123456789abcdef0123", "0123456789abcdef"),
    ],
)
def test_secrets_in_text_are_hidden(text, secret):
    assert secret not in redacted_text(text)
    assert HIDDEN in redacted_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "plan_0193b2a7c0de7000a1b2c3d4e5f60718 was approved",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "https://grafana.example/d/abc?orgId=1",
        "the basic case",
        "2026-11-21T12:00:00.000000Z",
    ],
)
def test_what_is_no_secret_stays_readable(text):
    assert redacted_text(text) == text


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "DB_PASSWORD",
        "api_key",
        "apiKey",
        "X-Api-Key",
        "client_secret",
        "Authorization",
        "accessToken",
        "Set-Cookie",
    ],
)
def test_what_stands_under_a_secret_s_name_is_hidden(key):
    assert redacted({"outer": [{key: ["s3cret"]}]}) == {"outer": [{key: HIDDEN}]}


def test_whether_there_is_a_secret_may_be_said():
    assert redacted({"password": None, "has_token": True}) == {"password": None, "has_token": True}


def test_what_is_not_json_is_hidden_by_its_text():
    class Connection:
        def __str__(self):
            return "Connection(password=hunter2)"

    assert redacted([Connection()]) == [f"Connection(password={HIDDEN}"]


def test_a_long_text_is_cut_and_a_deep_one_ends():
    deep: list[object] = []
    for _ in range(10_000):
        deep = [deep]

    assert len(redacted_text("x" * 100_000)) < 17_000
    assert "[too deep]" in str(redacted(deep))


@given(st.text(max_size=3000))
def test_any_text_is_redacted_in_time(text):
    redacted_text(text)
