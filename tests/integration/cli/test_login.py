"""Logging in with an identity provider, as a person at a terminal does."""

import json
import stat
from datetime import timedelta
from types import SimpleNamespace

import pytest
from tests.builders.command_line import ended
from tests.world.issuer import DEVICE, DISCOVERY, TOKEN, an_issuer, said
from tests.world.program import Program

from carapulse.kernel.clock import SystemClock
from carapulse.surfaces.cli.errors import CommandError, Misused, NotLoggedIn, Unanswered
from carapulse.surfaces.cli.exits import ExitCode
from carapulse.surfaces.cli.logins import KeptLogin, Login
from carapulse.surfaces.cli.provider import Pace, Provider


@pytest.fixture
def issuer():
    with an_issuer() as one:
        one.granted = {"groups": ["viewer"]}
        yield one


class Waiting:
    """A person's time: nobody waits for it, and it is noted how long each pause would have been."""

    def __init__(self):
        self.pauses = []

    def sleep(self, seconds):
        self.pauses.append(seconds)

    def now(self):
        return sum(self.pauses)

    @property
    def pace(self):
        return Pace(self.sleep, self.now)


def a_grant(issuer, waiting, **device):
    issuer.device |= device
    provider = Provider.find(issuer.url, "carapulse-cli", waiting.pace)
    return provider.await_grant(provider.begin("openid", None))


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Keep logins in a folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for name in ("CARAPULSE_TOKEN", "CARAPULSE_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "carapulse" / "logins"


@pytest.fixture
def cli(capsys):
    def run(*arguments):
        code = ended(arguments)
        told = capsys.readouterr()
        return SimpleNamespace(code=code, out=told.out, err=told.err)

    return run


def test_a_person_logs_in_works_and_logs_out(data_dir, issuer, home, cli):
    nowhere = {"tool": "http", "name": "nowhere", "match": {"tenant": "acme"}, "may_reach": ["127.0.0.1:9"]}
    program = Program(data_dir / "data", [nowhere], issuer)
    program.start()
    try:
        where = ["--url", program.url]
        issuer.token_errors = ["authorization_pending", "authorization_pending"]
        logged_in = cli(
            "login", *where, "--issuer", issuer.url, "--client-id", "carapulse-cli", "--audience", "carapulse"
        )
        (kept,) = home.iterdir()
        mode = stat.S_IMODE(kept.stat().st_mode)
        listed = cli("plan", "list", *where, "--json")
        refused = cli("plan", "create", *where, "--summary", "x", "--workflow", "y")
        elsewhere = cli("plan", "list", "--url", program.url.replace("127.0.0.1", "localhost"))
        logged_out = cli("logout", *where)
        afterwards = cli("plan", "list", *where)
        again = cli("logout", *where)
    finally:
        program.end()

    assert (logged_in.code, listed.code, json.loads(listed.out)["data"]) == (0, 0, [])
    assert "WDJB-MJHT" in logged_in.err
    assert issuer.url + "/enter" in logged_in.err
    assert mode == 0o600
    assert issuer.forms[0] == {"client_id": "carapulse-cli", "scope": "openid", "audience": "carapulse"}
    assert (refused.code, "role-required" in refused.err) == (1, True)
    assert (elsewhere.code, logged_out.code, afterwards.code, again.code) == (4, 0, 4, 0)
    assert "Nobody was logged in" in again.out
    assert not kept.exists()


def test_a_login_says_to_a_program_until_when_it_holds(issuer, home, cli):
    told = cli("login", "--url", "http://127.0.0.1:1", "--issuer", issuer.url, "--client-id", "c", "--json")

    assert json.loads(told.out)["issuer"] == issuer.url
    assert json.loads(told.out)["expires_at"] > SystemClock().now().timestamp() + 3000


def test_the_issuer_says_how_fast_it_is_asked(issuer):
    waiting = Waiting()
    issuer.token_errors = ["authorization_pending", "slow_down", "authorization_pending"]

    assert a_grant(issuer, waiting, interval=5).access_token
    assert waiting.pauses == [5, 5, 10, 10]


def test_an_issuer_that_is_away_for_a_moment_is_asked_more_slowly(issuer):
    waiting = Waiting()
    provider = Provider.find(issuer.url, "c", waiting.pace)
    issuer.device["interval"] = 2
    device = provider.begin("openid", None)
    issuer.answers[TOKEN] = (503, {}, b"")
    waiting_sleep = waiting.sleep

    def come_back(seconds):
        waiting_sleep(seconds)
        if len(waiting.pauses) == 3:
            issuer.come_back()

    grant = Provider(provider.discovery, "c", Pace(come_back, waiting.now)).await_grant(device)

    assert grant.access_token
    assert waiting.pauses == [2, 4, 8]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("access_denied", ExitCode.REFUSED),
        ("expired_token", ExitCode.UNAUTHENTICATED),
        ("unauthorized_client", ExitCode.UNAUTHENTICATED),
    ],
)
def test_a_refusal_ends_the_waiting(issuer, error, code):
    issuer.token_errors = [error] * 5

    with pytest.raises(CommandError) as ended_with:
        a_grant(issuer, Waiting())

    assert ended_with.value.code == code
    assert issuer.asked[TOKEN] == 1


def test_nobody_waits_longer_than_the_code_holds(issuer):
    issuer.token_errors = ["authorization_pending"] * 100
    waiting = Waiting()

    with pytest.raises(NotLoggedIn, match="in time"):
        a_grant(issuer, waiting, interval=5, expires_in=60)

    assert sum(waiting.pauses) < 60


WRONG = {
    "another issuer": lambda one: setattr(one, "said_issuer", "https://somebody.example"),
    "no JSON": lambda one: one.answers.update({DISCOVERY: (200, {}, b"<html>")}),
    "huge": lambda one: one.answers.update({DISCOVERY: said(200, {"x": "x" * 300_000})}),
    "elsewhere": lambda one: one.answers.update({DISCOVERY: (302, {"Location": one.url + "/other"}, b"")}),
    "a code that moves the cursor": lambda one: one.device.update({"user_code": "\x1b[2J"}),
    "a page that is no page": lambda one: one.device.update({"verification_uri": "javascript:alert(1)"}),
    "no token": lambda one: one.answers.update({TOKEN: said(200, {"token_type": "Bearer"})}),
    "another kind of token": lambda one: one.answers.update(
        {TOKEN: said(200, {"token_type": "DPoP", "access_token": "x"})}
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_an_issuer_that_answers_wrongly_is_not_followed(issuer, kind):
    WRONG[kind](issuer)

    with pytest.raises(Unanswered):
        a_grant(issuer, Waiting())
    assert issuer.asked["/other"] == 0


def test_an_issuer_without_the_device_flow_is_said_plainly(issuer):
    issuer.answers[DISCOVERY] = said(200, {"issuer": issuer.url, "token_endpoint": issuer.url + TOKEN})

    with pytest.raises(Misused, match="does not offer the device flow"):
        a_grant(issuer, Waiting())
    assert issuer.asked[DEVICE] == 0


def test_an_issuer_without_encryption_is_not_asked(issuer):
    with pytest.raises(Misused, match="https"):
        Provider.find("http://login.example", "c")


def test_no_token_is_minted_for_an_installation_that_would_not_believe_it(tmp_path, monkeypatch, cli):
    monkeypatch.setenv("CARAPULSE_ISSUERS_FILE", str(tmp_path / "issuers.yaml"))

    refused = cli("token", "--data-dir", str(tmp_path), "--tenant", "acme", "--subject", "ada", "--role", "sre")

    assert refused.code == 2
    assert "carapulse login" in refused.err


class Later:
    def now(self):
        return SystemClock().now() + timedelta(hours=2)


def a_login(issuer, folder, **changed):
    kept = KeptLogin.of(folder, "http://127.0.0.1:8080")
    issuer.refresh_tokens.add("first")
    until = SystemClock().now().timestamp() + 3600
    given = {"access_token": "old", "refresh_token": "first", "expires_at": until, **changed}
    kept.keep(Login(url=kept.url, issuer=issuer.url, client_id="c", **given))
    return kept


def test_a_token_is_refreshed_once_it_has_expired(issuer, tmp_path):
    kept = a_login(issuer, tmp_path)
    issuer.lives_s = 3 * 3600

    assert kept.token(SystemClock()) == "old"
    fresh = kept.token(Later())
    assert fresh not in {"old", None}
    assert kept.token(Later()) == fresh
    assert kept.read().refresh_token in issuer.refresh_tokens
    assert issuer.asked[TOKEN] == 1


@pytest.mark.parametrize("refresh_token", [None, "used already"])
def test_a_login_that_can_not_be_refreshed_has_ended(issuer, tmp_path, refresh_token):
    kept = a_login(issuer, tmp_path, refresh_token=refresh_token)

    with pytest.raises(NotLoggedIn, match="carapulse login"):
        kept.token(Later())


def test_a_login_that_others_could_read_is_not_used(issuer, home, cli):
    cli("login", "--url", "http://127.0.0.1:1", "--issuer", issuer.url, "--client-id", "c")
    (kept,) = home.iterdir()
    kept.chmod(0o644)

    refused = cli("plan", "list", "--url", "http://127.0.0.1:1")

    assert refused.code == 2
    assert "open to others" in refused.err
