"""The development issuer and its key."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from joserfc.jwk import KeySet

from carapulse.identity.errors import KeyExposed, TokenNotMintable, TokenRefused
from carapulse.identity.issuer import KEY_FILE, DevelopmentIssuer
from carapulse.identity.tokens import TokenVerifier

HOUR = timedelta(hours=1)


def a_verifier(issuer):
    return TokenVerifier([issuer.issuer], issuer.clock)


def test_a_minted_token_is_believed(tmp_path):
    issuer = DevelopmentIssuer.load_or_make(tmp_path)

    principal = a_verifier(issuer).verify(issuer.mint("acme", "ada", frozenset({"operator"}), HOUR))

    assert (principal.tenant, principal.actor.id, principal.actor.roles) == ("acme", "ada", {"operator"})


def test_the_key_outlives_a_restart(tmp_path):
    token = DevelopmentIssuer.load_or_make(tmp_path).mint("acme", "ada", frozenset(), HOUR)

    assert a_verifier(DevelopmentIssuer.load_or_make(tmp_path)).verify(token).tenant == "acme"


def test_another_installation_does_not_believe_it(tmp_path):
    token = DevelopmentIssuer.load_or_make(tmp_path / "one").mint("acme", "ada", frozenset(), HOUR)

    with pytest.raises(TokenRefused):
        a_verifier(DevelopmentIssuer.load_or_make(tmp_path / "two")).verify(token)


def test_only_the_owner_can_read_the_key(tmp_path):
    DevelopmentIssuer.load_or_make(tmp_path)

    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


def test_a_key_that_others_can_read_is_refused(tmp_path):
    DevelopmentIssuer.load_or_make(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o640)

    with pytest.raises(KeyExposed):
        DevelopmentIssuer.load_or_make(tmp_path)


def test_programs_that_start_together_agree_on_one_key(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        issuers = list(pool.map(lambda _: DevelopmentIssuer.load_or_make(tmp_path), range(8)))

    assert len({issuer.key.thumbprint() for issuer in issuers}) == 1
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_the_verifier_never_gets_the_private_key(tmp_path):
    keys = DevelopmentIssuer.load_or_make(tmp_path).issuer.keys.at_hand(None, "Ed25519")

    assert isinstance(keys, KeySet)
    assert not any(key.is_private for key in keys)


@pytest.mark.parametrize(
    ("tenant", "subject", "roles", "lifetime"),
    [
        ("", "ada", set(), HOUR),
        ("acme corp", "ada", set(), HOUR),
        ("acme", "", set(), HOUR),
        ("acme", " ", set(), HOUR),
        ("acme", "ada", {"root"}, HOUR),
        ("acme", "ada", set(), timedelta(0)),
        ("acme", "ada", set(), timedelta(days=32)),
    ],
)
def test_nothing_is_minted_that_would_be_refused(tmp_path, tenant, subject, roles, lifetime):
    with pytest.raises(TokenNotMintable):
        DevelopmentIssuer.load_or_make(tmp_path).mint(tenant, subject, frozenset(roles), lifetime)
