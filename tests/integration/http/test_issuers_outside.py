"""Tokens of an identity provider, through the whole HTTP stack, while the provider does whatever providers do."""

import base64
import hashlib
import hmac
import json
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import APIRouter
from joserfc import jwt
from joserfc.jwk import OctKey
from tests.builders.clients import a_client
from tests.builders.rates import HttpChosen, unlimited
from tests.builders.refusing import a_refusal_log
from tests.builders.serving import served
from tests.world.issuer import DISCOVERY, JWKS, a_key, an_issuer, said

from carapulse.adapters.oidc.jwks import usable
from carapulse.adapters.oidc.publication import Publication, lifetime
from carapulse.adapters.web.client import HttpxWeb
from carapulse.bootstrap.believing import trusted
from carapulse.identity.errors import IssuerUnavailable
from carapulse.identity.issuers import TrustedIssuer
from carapulse.identity.tokens import TokenVerifier
from carapulse.routing import ThisCall, needs


class Clock:
    """The time, and how much later a test says it is."""

    def __init__(self):
        self.later = timedelta()

    def now(self):
        return datetime.now(UTC) + self.later


class Site:
    """An application that believes some issuers, and a client for it."""

    def __init__(self, *believed):
        self.clock = Clock()
        issuers = [trusted(TrustedIssuer.model_validate(each), self.clock) for each in believed]
        self.tokens = TokenVerifier(issuers, self.clock)
        self.rates = unlimited()
        self.settings = HttpChosen()
        self.refusals = a_refusal_log()
        self.http: httpx.Client

    def ready(self):
        return {}

    def ask(self, token):
        return self.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})

    def code(self, token):
        answer = self.ask(token)
        return answer.status_code, answer.json().get("code")


def a_router():
    router = APIRouter()

    @router.get("/v1/me", dependencies=[needs("plan:read")])
    def me(call: ThisCall) -> dict[str, object]:
        return {"tenant": call.tenant, "actor": call.actor.id, "kind": call.actor.kind}

    return router


@contextmanager
def a_site(*believed):
    site = Site(*believed)
    with served(site, [a_router()]) as port, a_client(f"http://127.0.0.1:{port}", timeout=20) as site.http:
        yield site


@pytest.fixture
def issuer():
    with an_issuer() as one:
        yield one


@pytest.fixture
def site(issuer):
    with a_site(issuer.trusted()) as one:
        yield one


def a_token(issuer, **changed):
    return issuer.signed(issuer.claims(**{"groups": ["viewer"], **changed}))


REFUSED = (401, "token-refused")
UNKNOWN = (503, "issuer-unavailable")


def test_a_token_of_the_provider_is_believed(site, issuer):
    answer = site.ask(a_token(issuer, kind="service"))

    assert answer.json() == {"tenant": "acme", "actor": "ada", "kind": "service"}


@pytest.mark.parametrize("alg", ["RS256", "PS256", "Ed25519"])
def test_every_family_of_algorithms_is_understood(alg):
    with an_issuer(alg) as one, a_site(one.trusted()) as site:
        assert site.ask(a_token(one)).status_code == 200


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def with_mac(issuer):
    public = issuer.keys[0].as_pem(private=False)
    signed = f"{part({'alg': 'HS256', 'kid': issuer.keys[0].kid})}.{part(issuer.claims(groups=['admin']))}"
    mac = hmac.new(public, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def swapped(issuer):
    head, _, signature = a_token(issuer).split(".")
    return f"{head}.{part(issuer.claims(groups=['admin']))}.{signature}"


FORGERIES = {
    "by another key under a known name": lambda one: one.signed(one.claims(), a_key("ES256"), kid=one.keys[0].kid),
    "by another key that is brought along": lambda one: one.signed(
        one.claims(), a_key("ES256"), kid=None, jwk=one.keys[0].as_dict(private=False)
    ),
    "truncated": lambda one: a_token(one)[:-8],
    "without a signature": lambda one: a_token(one).rpartition(".")[0] + ".",
    "with the claims of another": swapped,
    "alg none": lambda one: f"{part({'alg': 'none', 'kid': one.keys[0].kid})}.{part(one.claims())}.",
    "the public key as a shared secret": with_mac,
    "another type": lambda one: one.signed(one.claims(), typ="dpop+jwt"),
    "an extension": lambda one: one.signed(one.claims(), crit=["b64"], b64=True),
    "for another audience": lambda one: a_token(one, aud="grafana"),
    "of another issuer": lambda one: a_token(one, iss=one.url + "/"),
    "without an end": lambda one: a_token(one, exp=None),
    "from the future": lambda one: a_token(one, iat=int(time.time()) + 120),
    "not valid yet": lambda one: a_token(one, nbf=int(time.time()) + 120),
    "for another tenant": lambda one: a_token(one, org="initech"),
    "too long": lambda one: a_token(one, note="x" * 8192),
}


@pytest.fixture(scope="module")
def warm():
    with an_issuer() as one, a_site(one.trusted()) as site:
        assert site.ask(a_token(one)).status_code == 200
        yield site, one


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_token_that_only_looks_like_one_is_refused(warm, kind):
    site, issuer = warm

    assert site.code(FORGERIES[kind](issuer)) == REFUSED


@pytest.mark.parametrize("typ", [None, "JWT", "at+jwt", "application/at+jwt", "AT+JWT"])
def test_the_types_of_access_tokens_are_believed(warm, typ):
    site, issuer = warm

    assert site.ask(issuer.signed(issuer.claims(groups=["viewer"]), typ=typ)).status_code == 200


def test_an_expired_token_says_so(warm):
    site, issuer = warm

    assert site.code(a_token(issuer, exp=int(time.time()) - 61)) == (401, "token-expired")
    assert site.ask(a_token(issuer, exp=int(time.time()) - 20)).status_code == 200


def test_each_issuer_speaks_for_its_own_tenants_alone():
    with an_issuer() as one, an_issuer() as other:
        theirs = other.trusted(tenants={"fixed": "initech"})
        with a_site(one.trusted(), theirs) as site:
            assert site.code(a_token(one, org="initech")) == REFUSED
            assert site.ask(a_token(other, org="acme")).json()["tenant"] == "initech"
            assert site.code(other.signed(other.claims(iss=one.url))) == REFUSED


def test_a_role_that_is_not_mapped_gives_nothing(site, issuer):
    assert site.code(a_token(issuer, groups=["root"])) == (403, "role-required")


def test_the_keys_are_fetched_once_for_many(site, issuer):
    assert {site.ask(a_token(issuer)).status_code for _ in range(5)} == {200}

    assert (issuer.asked[DISCOVERY], issuer.asked[JWKS]) == (1, 1)


def test_many_at_once_wait_for_one_fetch(site, issuer):
    issuer.delay_s = 0.2
    found = []
    threads = [threading.Thread(target=lambda: found.append(site.ask(a_token(issuer)).status_code)) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert found == [200] * 8
    assert issuer.asked[JWKS] == 1


def test_after_a_rotation_the_first_request_fetches_once(site, issuer):
    old = a_token(issuer)
    site.ask(old)
    issuer.rotate()

    assert [site.ask(a_token(issuer)).status_code for _ in range(3)] == [200] * 3
    assert site.code(old) == REFUSED
    assert issuer.asked[JWKS] == 2


def test_whoever_makes_up_names_of_keys_does_not_flood_the_issuer(site, issuer):
    site.ask(a_token(issuer))

    for number in range(20):
        assert site.code(issuer.signed(issuer.claims(), kid=f"made-up-{number}")) == REFUSED
    assert issuer.asked[JWKS] == 2

    site.clock.later += timedelta(seconds=31)
    issuer.rotate()
    assert site.ask(a_token(issuer)).status_code == 200
    assert issuer.asked[JWKS] == 3


def test_keys_are_fetched_anew_once_they_no_longer_hold(site, issuer):
    issuer.lives_s = 200_000
    issuer.cache_control = "public, max-age=900"
    site.ask(a_token(issuer))

    site.clock.later = timedelta(seconds=600)
    site.ask(a_token(issuer))
    assert issuer.asked[JWKS] == 1
    site.clock.later = timedelta(seconds=1000)
    site.ask(a_token(issuer))
    assert issuer.asked[JWKS] == 2


def test_while_the_issuer_is_down_its_keys_hold_for_a_day_and_no_longer(site, issuer):
    issuer.lives_s = 200_000
    token = a_token(issuer)
    site.ask(token)
    issuer.go_down()

    site.clock.later = timedelta(hours=23)
    assert site.ask(token).status_code == 200
    assert site.code(issuer.signed(issuer.claims(), kid="new")) == UNKNOWN
    site.clock.later = timedelta(hours=25)
    assert site.code(token) == UNKNOWN
    issuer.come_back()
    site.clock.later = timedelta(hours=25, minutes=2)
    assert site.ask(token).status_code == 200


def test_an_issuer_that_does_not_answer_is_asked_less_and_less(site, issuer):
    issuer.go_down()
    asked = []
    for second in range(300):
        site.clock.later = timedelta(seconds=second)
        assert site.code(a_token(issuer)) == UNKNOWN
        asked.append(issuer.asked[DISCOVERY])

    assert 1 <= int(site.ask(a_token(issuer)).headers["Retry-After"]) <= 60
    assert asked[10] >= 3
    assert asked[-1] <= 20
    assert asked[-1] - asked[-121] <= 8


def instead(path, status=200, headers=None, padding=0):
    """Have the truth told wrongly at a path: with another status, other headers, or much space behind it."""

    def change(issuer):
        _, own, content = issuer.answer(path, {})
        issuer.answers[path] = (status, {**own, **(headers or {})}, content + b" " * padding)

    return change


BROKEN = {
    "wrong issuer": lambda one: setattr(one, "said_issuer", "https://somebody.example"),
    "huge discovery": instead(DISCOVERY, padding=300_000),
    "huge keys": instead(JWKS, padding=300_000),
    "too many keys": lambda one: one.more_keys.extend([{"kty": "EC"}] * 100),
    "redirecting discovery": instead(DISCOVERY, 302, {"Location": "/other"}),
    "redirecting keys": instead(JWKS, 307, {"Location": "/other"}),
    "keys with an error": instead(JWKS, 500),
    "no JSON": lambda one: one.answers.update({JWKS: (200, {}, b"<html>")}),
    "keys that are no list": lambda one: one.answers.update({JWKS: said(200, {"keys": {"0": {}}})}),
    "no keys": lambda one: one.keys.clear(),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_an_issuer_that_answers_wrongly_is_neither_believed_nor_called_a_liar(site, issuer, kind):
    token = a_token(issuer)
    BROKEN[kind](issuer)

    answer = site.ask(token)

    assert (answer.status_code, answer.json()["code"]) == UNKNOWN
    assert "Retry-After" in answer.headers
    assert issuer.asked["/other"] == 0


def test_a_slow_issuer_keeps_nobody_else_waiting(site, issuer):
    issuer.free.clear()
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(site.ask(a_token(issuer)).status_code))
    waiting.start()
    while not issuer.asked[DISCOVERY]:
        time.sleep(0.01)

    assert site.http.get("/healthz").status_code == 200
    issuer.free.set()
    waiting.join()
    assert answers == [200]


@pytest.mark.parametrize("address", ["http://192.0.2.7/jwks", "file:///etc/passwd", "http://ada:word@127.0.0.1/jwks"])
def test_keys_are_not_fetched_from_an_address_that_is_not_safe(issuer, address):
    issuer.jwks_uri = address

    with pytest.raises(IssuerUnavailable, match="not safe"):
        Publication(TrustedIssuer.model_validate(issuer.trusted()), HttpxWeb()).read()


def test_a_key_that_is_too_short_is_left_out():
    strong, weak = (rsa.generate_private_key(public_exponent=65537, key_size=bits) for bits in (2048, 1024))
    entries = [{**_entry(each.public_key().public_numbers()), "kid": kid} for kid, each in (("s", strong), ("w", weak))]

    assert [each.kid for each in usable(entries, ["RS256"])] == ["s"]


def _entry(numbers):
    def word(number):
        return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).rstrip(b"=").decode()

    return {"kty": "RSA", "n": word(numbers.n), "e": word(numbers.e)}


def test_nobody_is_asked_about_an_algorithm_that_the_issuer_does_not_use(site, issuer):
    for alg in ("none", "HS256", "RS256"):
        assert site.code(f"{part({'alg': alg, 'kid': 'new'})}.{part(issuer.claims())}.AAAA") == REFUSED

    assert not issuer.asked


def test_an_issuer_that_takes_too_long_is_given_up(issuer):
    issuer.delay_s = 1.0

    with pytest.raises(IssuerUnavailable):
        Publication(TrustedIssuer.model_validate(issuer.trusted()), HttpxWeb(), patience_s=0.2).read()


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("", 600),
        ("public, max-age=3600, must-revalidate", 3600),
        ("max-age=1", 60),
        ("max-age=99999999", 86_400),
        ("no-store", 60),
        ("no-cache, max-age=3600", 60),
        ("s-maxage=3600", 600),
    ],
)
def test_keys_hold_as_long_as_their_issuer_says_within_a_minute_and_a_day(told, seconds):
    assert lifetime(told) == seconds


ODD: dict[str, dict[str, Any]] = {
    "oct": {},
    "private": {},
    "use": {"use": "enc"},
    "ops": {"key_ops": ["encrypt"]},
    "alg": {"alg": "ES384"},
}


def left_out(kind):
    """Return a key that must not be used, and the entry of a key set that describes it."""
    key = a_key("ES256") if kind != "oct" else OctKey.generate_key(256)
    return key, {**key.as_dict(private=kind in {"oct", "private"}), **ODD[kind], "kid": "other"}


@pytest.mark.parametrize("kind", ODD)
def test_a_key_for_something_else_is_left_out(site, issuer, kind):
    key, entry = left_out(kind)
    issuer.more_keys = [entry, "no key", {"kty": ["RSA"]}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]
    alg = "HS256" if kind == "oct" else "ES256"
    claims = issuer.claims(groups=["viewer"])
    forged = jwt.encode({"alg": alg, "kid": "other"}, claims, key, algorithms=[alg])

    assert site.ask(a_token(issuer)).status_code == 200
    assert site.code(forged) == REFUSED


def test_a_token_that_names_no_key_means_the_only_one(site, issuer):
    token = issuer.signed(issuer.claims(groups=["viewer"]), kid=None)
    assert site.ask(token).status_code == 200

    issuer.keys.append(a_key("ES256"))
    site.clock.later = timedelta(minutes=10)
    assert site.code(token) == REFUSED
