"""What a file of issuers may say, and what tokens then mean."""

import json
import re
from pathlib import Path

import pytest

from carapulse.adapters.oidc.configuration import load_issuers
from carapulse.identity.addresses import is_safe, leads_no_lower
from carapulse.identity.errors import IssuersInvalid, TokenRefused
from carapulse.identity.issuers import TrustedIssuer
from carapulse.kernel.call import Scope

GOOD = {
    "issuer": "https://login.example/realms/ops",
    "audience": "carapulse",
    "algorithms": ["RS256"],
    "tenants": {"claim": "org", "allowed": ["acme", "initech"]},
    "roles": {"claim": "realm_access.roles", "mapping": {"oncall": "sre", "look": "viewer"}},
    "kind": {"claim": "gty", "values": {"client-credentials": "service"}},
}
SAID = {"sub": "ada", "org": "acme", "realm_access": {"roles": ["oncall", "cook"]}}


def principal(said, **changed):
    return TrustedIssuer.model_validate({**GOOD, **changed}).principal(said, 1.0)


def faults(tmp_path, *issuers):
    path = tmp_path / "issuers.json"
    path.write_text(json.dumps({"issuers": issuers}))
    with pytest.raises(IssuersInvalid) as problem:
        load_issuers(path)
    return [each.pointer for each in problem.value.faults]


def test_a_token_s_words_become_ours_and_what_is_not_mapped_gives_nothing():
    found = principal(SAID)

    assert (found.tenant, found.actor.id, found.actor.kind, found.actor.roles) == ("acme", "ada", "person", {"sre"})


def test_a_token_without_roles_has_none():
    assert principal({"sub": "ada", "org": "acme"}).actor.roles == frozenset()


def test_one_role_may_be_a_word_and_a_name_with_dots_a_list_of_steps():
    roles = {"claim": ["https://example.com/role"], "mapping": {"oncall": "sre"}}

    assert principal({**SAID, "https://example.com/role": "oncall"}, roles=roles).actor.roles == {"sre"}


def test_a_tenant_may_be_fixed_and_a_subject_have_a_prefix():
    found = principal({"sub": "ada", "org": "initech"}, tenants={"fixed": "acme"}, subject_prefix="corp:")

    assert (found.tenant, found.actor.id) == ("acme", "corp:ada")


def test_the_claim_of_the_kind_decides_it():
    assert principal({**SAID, "gty": "client-credentials"}).actor.kind == "service"


@pytest.mark.parametrize(
    "changed",
    [
        {"org": "globex"},
        {"org": None},
        {"org": ["acme"]},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"realm_access": {"roles": {"oncall": True}}},
        {"realm_access": {"roles": [1]}},
        {"gty": "something-new"},
        {"gty": True},
    ],
    ids=str,
)
def test_a_token_that_says_what_it_may_not_is_refused(changed):
    with pytest.raises(TokenRefused):
        principal({**SAID, **changed})


def test_a_kind_without_default_must_be_said():
    with pytest.raises(TokenRefused):
        principal(SAID, kind={"default": None, "claim": "gty", "values": {"password": "person"}})


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"issuer": "http://login.example"}, "/issuer"),
        ({"issuer": "https://ada:secret@login.example"}, "/issuer"),
        ({"issuer": "https://login.example/?tenant=1"}, "/issuer"),
        ({"issuer": "carapulse-development"}, "/issuer"),
        ({"audience": ""}, "/audience"),
        ({"algorithms": []}, "/algorithms"),
        ({"algorithms": ["HS256"]}, "/algorithms/0"),
        ({"algorithms": ["none"]}, "/algorithms/0"),
        ({"tenants": {"claim": "org", "allowed": []}}, "/tenants"),
        ({"tenants": {"fixed": "acme", "claim": "org", "allowed": ["acme"]}}, "/tenants"),
        ({"tenants": {"allowed": ["acme"]}}, "/tenants"),
        ({"tenants": {}}, "/tenants"),
        ({"roles": {"claim": "groups", "mapping": {"oncall": "king"}}}, "/roles/mapping/oncall"),
        ({"roles": {"claim": "groups", "mapping": {}}}, "/roles/mapping"),
        ({"roles": {"claim": "groups", "mapping": {"a": "sre"}, "default": "viewer"}}, "/roles/default"),
        ({"kind": {"default": None}}, "/kind"),
        ({"kind": {"claim": "gty"}}, "/kind"),
        ({"secret": "s3cret"}, "/secret"),
        ({"scope": {}}, "/scope"),
        ({"scope": {"environments": {"claim": "envs"}}}, "/scope/environments/missing"),
        ({"scope": {"environments": {"claim": "envs", "missing": "all"}}}, "/scope/environments/missing"),
        ({"scope": {"regions": {"claim": "r", "missing": "nothing"}}}, "/scope/regions"),
        ({"scope": {"services": {"claim": "s", "missing": "nothing", "mapping": {}}}}, "/scope/services/mapping"),
        (
            {"scope": {"services": {"claim": "s", "missing": "nothing", "mapping": {"a": ["*"]}}}},
            "/scope/services/mapping/a/0",
        ),
    ],
    ids=str,
)
def test_a_file_that_says_what_it_may_not_is_refused_with_the_place(tmp_path, changed, pointer):
    assert faults(tmp_path, {**GOOD, **changed}) == ["/issuers/0" + pointer]


def test_an_issuer_must_say_everything_that_has_no_default(tmp_path):
    told = faults(tmp_path, {"issuer": "https://login.example"})

    assert {each.rsplit("/", 1)[1] for each in told} == {"audience", "algorithms", "tenants", "roles"}


def test_one_issuer_is_listed_once(tmp_path):
    assert faults(tmp_path, GOOD, {**GOOD, "issuer": f"{GOOD['issuer']}/"}) == ["/issuers/1/issuer"]


@pytest.mark.parametrize(("one", "other"), [("", ""), ("", "k8s:"), ("k8s:", "k8s:eu:")])
def test_two_issuers_of_one_tenant_cannot_pass_for_each_other(tmp_path, one, other):
    second = {**GOOD, "issuer": "https://other.example", "tenants": {"fixed": "acme"}}

    told = faults(tmp_path, {**GOOD, "subject_prefix": one}, {**second, "subject_prefix": other})

    assert told == ["/issuers/1/subject_prefix"]


def test_two_issuers_of_different_tenants_need_no_prefix(tmp_path):
    path = tmp_path / "issuers.json"
    path.write_text(json.dumps({"issuers": [GOOD, {**GOOD, "issuer": "https://b.example", "tenants": {"fixed": "b"}}]}))

    assert len(load_issuers(path)) == 2


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://login.example/a", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("http://localhost", True),
        ("http://127.0.0.1.example", False),
        ("http://localhost.example", False),
        ("http://login.example", False),
        ("http://10.0.0.1", False),
        ("ftp://127.0.0.1", False),
        ("https://", False),
        ("https://login.example:port", False),
        ("https://login.example/\n", False),
        ("file:///etc/passwd", False),
    ],
)
def test_an_address_is_encrypted_or_of_this_machine(url, safe):
    assert is_safe(url) is safe


def test_no_address_leads_down_from_an_encrypted_one():
    assert not leads_no_lower("http://127.0.0.1/jwks", "https://login.example")
    assert leads_no_lower("https://keys.example/jwks", "https://login.example")
    assert leads_no_lower("http://127.0.0.1/jwks", "http://127.0.0.1:8080")


def test_the_file_in_the_manual_can_be_used(tmp_path):
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "use-your-identity-provider.md").read_text()
    (block,) = re.findall(r"(?ms)^```yaml\n(.*?)^```$", page)
    path = tmp_path / "issuers.yaml"
    path.write_text(block)

    people, pipelines = load_issuers(path)

    said = {"sub": "ada", "organization": "acme", "realm_access": {"roles": ["carapulse-oncall"]}}
    ada = people.principal({**said, "carapulse": {"environments": "dev"}, "teams": ["shop"]}, 1)
    said = {"repository": "acme/shop", "https://ci.example.com/claims/group": ["deployers"]}
    pipeline = pipelines.principal(said, 1).actor
    assert (ada.tenant, ada.actor.id, ada.actor.kind) == ("acme", "ops:ada", "person")
    assert (pipeline.id, pipeline.kind) == ("ci:acme/shop", "service")
    assert ada.actor.scope == Scope(environments=("dev",), services=("cart", "checkout"))
    assert (ada.actor.roles, pipeline.roles) == (frozenset({"sre"}), frozenset({"service"}))


SCOPE = {
    "environments": {"claim": "ops.environments", "missing": "refused"},
    "services": {
        "claim": "teams",
        "missing": "nothing",
        "mapping": {"shop": ["checkout", "cart"], "hall": ["lights"]},
    },
    "clusters": {"claim": "clusters", "missing": "everything"},
}
TOUCHES = {**SAID, "ops": {"environments": ["dev", "staging"]}, "teams": ["shop", "unknown"], "clusters": "eu-1"}


def scope_of(said):
    return principal(said, scope=SCOPE).actor.scope


def test_what_a_token_may_touch_is_what_its_claims_name():
    assert scope_of(TOUCHES) == Scope(
        environments=("dev", "staging"), services=("cart", "checkout"), clusters=("eu-1",)
    )


def test_an_issuer_without_scopes_in_its_entry_restricts_nothing():
    assert principal(TOUCHES).actor.scope.is_whole


def test_what_a_token_leaves_out_is_what_the_entry_says_of_it():
    silent = {name: value for name, value in TOUCHES.items() if name not in {"teams", "clusters"}}

    assert scope_of(silent) == Scope(environments=("dev", "staging"), services=(), clusters=None)
    with pytest.raises(TokenRefused):
        scope_of({**TOUCHES, "ops": {}})
    with pytest.raises(TokenRefused):
        scope_of({name: value for name, value in TOUCHES.items() if name != "ops"})


def test_an_empty_list_is_nothing_and_not_silence():
    assert scope_of({**TOUCHES, "clusters": []}).clusters == ()


@pytest.mark.parametrize("value", [None, True, 7, {"dev": True}, [1], [["dev"]], "", "*", ["a b"], ["x"] * 3 + [None]])
@pytest.mark.parametrize("claim", ["ops", "clusters"])
def test_a_scope_that_is_no_list_of_names_refuses_the_token(claim, value):
    said = {"environments": value} if claim == "ops" else value

    with pytest.raises(TokenRefused):
        scope_of({**TOUCHES, claim: said})


@pytest.mark.parametrize("way", [None, "dev", ["dev"], 7])
def test_a_way_to_a_claim_that_is_no_object_refuses_the_token(way):
    with pytest.raises(TokenRefused):
        scope_of({**TOUCHES, "ops": way})


def test_more_names_than_a_scope_may_have_refuse_the_token():
    with pytest.raises(TokenRefused):
        scope_of({**TOUCHES, "clusters": [f"c{n}" for n in range(101)]})
