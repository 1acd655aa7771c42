"""What no one is told."""

from typing import Any

import pytest

from carapulse.tools.redaction import REDACTED, Redactor

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nabc\n-----END RSA PRIVATE KEY-----"
SECRETS = [
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
    "ghp_0123456789abcdefghijABCDEFGHIJ",
    "glpat-abcdefghij0123456789",
    "xoxb-123456789012-abcdefghijkl",
    "hvs.CAESIJ0123456789abcdefghij",
    KEY,
]


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_like_a_secret_is_hidden(secret: str):
    shown = Redactor().text(f"before {secret} after")

    assert shown == f"before {REDACTED} after"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abcdef123456", "abcdef123456"),
        ("https://user:pa55word@host/path", "pa55word"),
        ("password=hunter22 next", "hunter22"),
        ('{"api_key": "0123456789"}', "0123456789"),
        ("DB_PASSWORD: s3cr3tvalue", "s3cr3tvalue"),
        ("client-secret = 'abcd1234'", "abcd1234"),
    ],
)
def test_what_follows_a_telling_word_is_hidden(text: str, secret: str):
    shown = Redactor().text(text)

    assert secret not in shown
    assert REDACTED in shown


@pytest.mark.parametrize(
    "text",
    [
        "12 tokens were used",
        "deployment.apps/web scaled",
        "secretName: web-tls",
        "the passwords differ",
        "https://host:8080/path",
        "rate(x[5m]) > 1",
    ],
)
def test_plain_text_stays(text: str):
    assert Redactor().text(text) == text


@pytest.mark.parametrize("form", ['p@ss/w"ord', "p%40ss%2Fw%22ord", 'p@ss/w\\"ord', "cEBzcy93Im9yZA"])
def test_a_known_secret_is_hidden_in_every_form(form: str):
    assert Redactor(['p@ss/w"ord']).text(f"<{form}>").startswith(f"<{REDACTED}")


def test_values_under_telling_keys_are_hidden_and_references_are_not():
    value: dict[str, Any] = {
        "Token": "abc",
        "data": {"x": 1},
        "list": [{"password": ["a"]}],
        "n": 1,
        "kept": "x",
        "secret": {"secret": "env:A"},
        "token": "",
    }

    assert Redactor((), ["data"]).value(value) == {
        "Token": REDACTED,
        "data": REDACTED,
        "list": [{"password": REDACTED}],
        "n": 1,
        "kept": "x",
        "secret": {"secret": "env:A"},
        "token": "",
    }


def test_a_key_of_many_lines_is_hidden_line_by_line():
    heard: list[str] = []
    listen = Redactor().lines(heard.append)

    for line in ["before", *KEY.split("\n"), "after"]:
        listen(line)

    assert heard == ["before", REDACTED, REDACTED, REDACTED, REDACTED, "after"]


def test_a_long_text_is_redacted_in_reasonable_time():
    text = ("token" * 20 + " ") * 5000

    assert len(Redactor(["known-secret"]).text(text)) == len(text)
