"""Nobody gets in without proof, and nobody does more than the roles allow."""

import base64
import hashlib
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from joserfc.jwk import OKPKey

from carapulse.identity.issuer import DevelopmentIssuer


class Later:
    def __init__(self, clock, by):
        self.clock, self.by = clock, by

    def now(self):
        return self.clock.now() + self.by


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def a_payload(client, **changed):
    body = client.token("admin").split(".")[1]
    return {**json.loads(base64.urlsafe_b64decode(body + "==")), **changed}


def forged(client, tmp_path):
    return DevelopmentIssuer.load_or_make(tmp_path).mint("acme", "ada", frozenset({"admin"}), timedelta(hours=1))


def unsigned(client, tmp_path):
    return f"{part({'alg': 'none'})}.{part(a_payload(client))}."


def mac_with_public_key(client, tmp_path):
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(a_payload(client))}"
    public = client.application.issuer.key.as_pem(private=False)
    mac = hmac.new(public, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def with_claim(client, **changed):
    from joserfc import jws

    key: OKPKey = client.application.issuer.key
    payload = {name: value for name, value in a_payload(client, **changed).items() if value is not None}
    return jws.serialize_compact({"alg": "Ed25519"}, json.dumps(payload), key, algorithms=["Ed25519"])


BAD = {
    "forged": forged,
    "unsigned": unsigned,
    "mac_with_public_key": mac_with_public_key,
    "wrong audience": lambda client, _: with_claim(client, aud="grafana"),
    "empty subject": lambda client, _: with_claim(client, sub=""),
    "no tenant": lambda client, _: with_claim(client, tenant=None),
    "no expiry": lambda client, _: with_claim(client, exp=None),
    "not a token": lambda *_: "hello",
    "too long": lambda *_: "a" * 9000,
}


@pytest.mark.parametrize("kind", BAD)
def test_a_token_that_is_not_believed_answers_401(client, tmp_path, kind):
    token = BAD[kind](client, tmp_path)

    answer = client.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})

    assert (answer.status_code, answer.json()["code"]) == (401, "token-refused")
    assert answer.headers["www-authenticate"] == 'Bearer realm="carapulse", error="invalid_token"'


def test_an_expired_token_answers_401_and_says_so(client):
    token = with_claim(client, exp=1)

    answer = client.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})

    assert (answer.status_code, answer.json()["code"]) == (401, "token-expired")


@pytest.mark.parametrize("path", ["/v1/me", "/v1/plans", "/v1/nothing/here", "/v1/"])
def test_without_a_token_every_v1_path_answers_401_even_those_that_are_not_served(client, path):
    answer = client.http.get(path)

    assert (answer.status_code, answer.json()["code"]) == (401, "token-missing")
    assert answer.headers["www-authenticate"] == 'Bearer realm="carapulse"'


@pytest.mark.parametrize("given", ["Basic YWRhOnBhc3M=", "Bearer", "bearer", "Token abc"])
def test_another_kind_of_authorization_answers_401(client, given):
    assert client.http.get("/v1/me", headers={"Authorization": given}).status_code == 401


def test_two_tokens_answer_401(client):
    headers = [("Authorization", f"Bearer {client.token('admin')}")] * 2

    assert client.http.get("/v1/me", headers=headers).status_code == 401


def test_the_body_of_a_stranger_is_not_read(client):
    answer = client.http.post("/v1/plans", content=b"{not json", headers={"Content-Type": "application/json"})

    assert answer.status_code == 401


def test_the_call_is_the_token_s(client):
    token = client.token("viewer", tenant="initech", subject="bob")

    answer = client.http.get("/v1/me", headers={"Authorization": f"bearer {token}"})

    assert (answer.json()["tenant"], answer.json()["actor"]) == ("initech", "bob")


def test_a_header_can_not_choose_another_tenant(client):
    answer = client.ask("GET", "/v1/me", headers={"X-Tenant-Id": "initech"})

    assert (answer.status_code, answer.json()["code"]) == (403, "tenant-mismatch")


@pytest.mark.parametrize("roles", [("viewer",), ("auditor", "approver"), ()])
def test_a_role_that_does_not_allow_it_answers_403_and_names_the_permission(client, roles):
    token = client.token(*roles)

    answer = client.http.post("/v1/plans", json={"summary": "x"}, headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 403
    assert (answer.json()["code"], answer.json()["permission"]) == ("role-required", "plan:create")


def test_a_role_that_allows_it_gets_in(client):
    assert client.ask("POST", "/v1/plans", "operator", json={"summary": "x"}).status_code == 201


def test_looking_keys_up_keeps_nobody_else_waiting(client):
    with ThreadPoolExecutor(8) as pool:
        asked = [
            pool.submit(client.http.get, "/v1/me", headers={"Authorization": f"Bearer cpk_{name}"})
            for name in ("the-one", "another") * 4
        ]
        time.sleep(0.1)
        began = time.monotonic()
        assert client.ask("GET", "/v1/plans").status_code == 200
        took = time.monotonic() - began

    assert sorted(each.result().status_code for each in asked) == [200] * 4 + [401] * 4
    assert took < 1
