"""Which tokens are believed."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import KeySet, OKPKey, RSAKey

from carapulse.identity.errors import TokenExpired, TokenRefused
from carapulse.identity.issuer import AUDIENCE, ISSUER
from carapulse.identity.tokens import HeldKeys, Issuer, TokenVerifier
from carapulse.kernel.call import Scope
from carapulse.kernel.errors import Unauthenticated

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KEY = OKPKey.generate_key("Ed25519")


class StoppedClock:
    def now(self):
        return NOW


def a_verifier(*more):
    public = OKPKey.import_key(KEY.as_dict(private=False))
    return TokenVerifier([Issuer(ISSUER, AUDIENCE, HeldKeys(KeySet([public]))), *more], StoppedClock())


def claims(**changed):
    seconds = int(NOW.timestamp())
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ada",
        "tenant": "acme",
        "kind": "person",
        "roles": ["operator"],
        "iat": seconds,
        "exp": seconds + 600,
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def a_token(key=KEY, alg="Ed25519", payload=None, header=None, **changed):
    payload = payload if payload is not None else json.dumps(claims(**changed)).encode()
    return jws.serialize_compact({"alg": alg, **(header or {})}, payload, key, algorithms=[alg])


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_good_token_says_who_asks_and_for_which_tenant():
    principal = a_verifier().verify(a_token())

    assert (principal.actor.id, principal.actor.kind, principal.tenant) == ("ada", "person", "acme")
    assert principal.actor.roles == {"operator"}


def test_a_token_may_name_a_scope():
    principal = a_verifier().verify(a_token(scope_environments=["dev"], scope_services=[]))

    assert principal.actor.scope == Scope(environments=("dev",), services=())
    assert a_verifier().verify(a_token()).actor.scope.is_whole


def test_a_role_that_is_not_known_is_not_granted():
    principal = a_verifier().verify(a_token(roles=["root", "viewer"]))

    assert principal.actor.roles == {"viewer"}


def test_one_of_several_audiences_is_enough():
    assert a_verifier().verify(a_token(aud=["grafana", AUDIENCE])).tenant == "acme"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": None},
        {"iss": "somebody-else"},
        {"iss": ["carapulse-development"]},
        {"aud": None},
        {"aud": "grafana"},
        {"aud": []},
        {"sub": None},
        {"sub": ""},
        {"sub": "   "},
        {"sub": "ada\u0000"},
        {"sub": "ada\n"},
        {"sub": 7},
        {"sub": "key:key_1"},
        {"sub": "source:cluster-alerts"},
        {"scope_environments": "dev"},
        {"scope_services": ["a b"]},
        {"scope_clusters": [1]},
        {"tenant": None},
        {"tenant": ""},
        {"tenant": "*"},
        {"tenant": ["acme"]},
        {"exp": None},
        {"exp": "2099-01-01"},
        {"exp": True},
        {"kind": None},
        {"kind": "root"},
        {"roles": "admin"},
        {"nbf": int(NOW.timestamp()) + 61},
        {"iat": int(NOW.timestamp()) + 61},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_or_missing_claim_is_refused(changed):
    with pytest.raises(TokenRefused):
        a_verifier().verify(a_token(**changed))


def test_a_token_may_be_a_minute_late_for_clocks_that_differ():
    assert a_verifier().verify(a_token(exp=int(NOW.timestamp()) - 59)).tenant == "acme"


def test_an_expired_token_says_so():
    with pytest.raises(TokenExpired):
        a_verifier().verify(a_token(exp=int(NOW.timestamp()) - 60))


@pytest.mark.parametrize("never", ["NaN", "Infinity", "1e999"])
def test_a_token_that_never_expires_is_refused(never):
    payload = json.dumps(claims()).replace(f'"exp": {int(NOW.timestamp()) + 600}', f'"exp": {never}').encode()

    with pytest.raises(TokenRefused):
        a_verifier().verify(a_token(payload=payload))


def test_a_token_with_the_same_claim_twice_is_refused():
    payload = json.dumps(claims()).replace('"sub": "ada"', '"sub": "ada", "sub": "eve"').encode()

    with pytest.raises(TokenRefused):
        a_verifier().verify(a_token(payload=payload))


def test_a_token_signed_by_another_key_is_refused():
    forger = OKPKey.generate_key("Ed25519")

    with pytest.raises(TokenRefused):
        a_verifier().verify(a_token(key=forger))


class MovedClock:
    """A clock that a test moves."""

    def __init__(self):
        self.at = NOW

    def now(self):
        return self.at


class ChangedKeys:
    """Keys of an issuer that publishes others."""

    def __init__(self, key):
        self.key = key

    def wanted(self, _kid):
        return None

    def at_hand(self, _kid, _algorithm):
        return self.key


def test_a_token_that_was_believed_expires_all_the_same():
    clock, token = MovedClock(), a_token()
    verifier = TokenVerifier([Issuer(ISSUER, AUDIENCE, HeldKeys(KeySet([KEY])))], clock)
    assert verifier.verify(token) == verifier.verify(token)

    clock.at += timedelta(seconds=660)

    with pytest.raises(TokenExpired):
        verifier.verify(token)


def test_a_token_that_was_believed_is_not_any_more_once_its_issuer_has_another_key():
    keys, token = ChangedKeys(KEY), a_token()
    verifier = TokenVerifier([Issuer(ISSUER, AUDIENCE, keys)], StoppedClock())
    assert verifier.verify(token) == verifier.verify(token)

    keys.key = OKPKey.generate_key("Ed25519")

    with pytest.raises(TokenRefused):
        verifier.verify(token)


def test_a_token_that_was_believed_lends_nothing_to_one_that_differs():
    verifier, token = a_verifier(), a_token()
    verifier.verify(token)

    for other in (token[:-4] + "AAAA", token + "=", " " + token, token.replace(".", ".e30.", 1)):
        with pytest.raises(TokenRefused):
            verifier.verify(other)


def test_a_token_that_brings_its_own_key_is_refused():
    forger = OKPKey.generate_key("Ed25519")

    with pytest.raises(TokenRefused):
        a_verifier().verify(a_token(key=forger, header={"jwk": forger.as_dict(private=False)}))


def test_a_token_whose_claims_were_changed_is_refused():
    head, _, signature = a_token().split(".")

    with pytest.raises(TokenRefused):
        a_verifier().verify(f"{head}.{encoded(claims(roles=['admin']))}.{signature}")


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
@pytest.mark.parametrize("signature", ["", "AAAA"])
def test_a_token_without_a_signature_is_refused(alg, signature):
    with pytest.raises(TokenRefused):
        a_verifier().verify(f"{encoded({'alg': alg})}.{encoded(claims())}.{signature}")


@pytest.mark.parametrize(
    "public",
    [KEY.as_pem(private=False), KEY.as_pem(private=False).strip(), KEY.as_pem(private=False)[27:-26]],
    ids=["as written", "stripped", "base64"],
)
def test_the_public_key_is_no_shared_secret(public):
    signed = f"{encoded({'alg': 'HS256'})}.{encoded(claims())}"
    mac = hmac.new(public, signed.encode(), hashlib.sha256).digest()

    with pytest.raises(TokenRefused):
        a_verifier().verify(f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}")


def test_an_issuer_can_sign_for_itself_only():
    other = RSAKey.generate_key(2048)
    verifier = a_verifier(Issuer("corporate", AUDIENCE, HeldKeys(KeySet([other])), ("RS256",)))

    assert verifier.verify(a_token(key=other, alg="RS256", iss="corporate")).tenant == "acme"
    with pytest.raises(TokenRefused):
        verifier.verify(a_token(key=other, alg="RS256"))


def test_an_algorithm_that_the_issuer_does_not_use_is_refused():
    other = RSAKey.generate_key(2048)
    verifier = a_verifier(Issuer("corporate", AUDIENCE, HeldKeys(KeySet([other])), ("RS256",)))

    with pytest.raises(TokenRefused):
        verifier.verify(a_token(key=other, alg="PS256", iss="corporate"))


def test_an_extension_that_must_be_understood_is_refused():
    with pytest.raises(TokenRefused):
        a_verifier().verify(f"{encoded({'alg': 'Ed25519', 'crit': ['x'], 'x': 1})}.{encoded(claims())}.AAAA")


@given(st.one_of(st.text(max_size=200), st.lists(st.text(max_size=30), min_size=2, max_size=5).map(".".join)))
@settings(max_examples=200, deadline=timedelta(seconds=2))
def test_nonsense_is_refused_and_never_a_surprise(nonsense):
    with pytest.raises(Unauthenticated):
        a_verifier().verify(nonsense)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["alg", "kid", "iss", "x"]), inner, max_size=3)
        ),
        max_leaves=5,
    )
)
@settings(max_examples=200, deadline=timedelta(seconds=2))
def test_any_json_as_header_or_claims_is_refused_and_never_a_surprise(value):
    for token in (f"{encoded(value)}.{encoded(claims())}.AAAA", f"{encoded({'alg': 'Ed25519'})}.{encoded(value)}.AAAA"):
        with pytest.raises(Unauthenticated):
            a_verifier().verify(token)
