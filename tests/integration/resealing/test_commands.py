"""carapulse keys: a new key, made the newest, and everything sealed by it, as an operator types it."""

import json
import shlex
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.builders.command_line import ended


@pytest.fixture
def cli(site, capsys, monkeypatch):
    """Run a command where the installation runs, under these settings, and return its exit code and what it said."""

    def run(*arguments, **settings):
        all_settings = {"DATABASE_URL": site.url, "DATA_DIR": str(site.folder), **settings}
        given = {name: value for name, value in all_settings.items() if value is not None}
        for name, value in given.items():
            monkeypatch.setenv(f"CARAPULSE_{name}", value)
        code = ended(arguments)
        said = capsys.readouterr()
        for name in given:
            monkeypatch.delenv(f"CARAPULSE_{name}")
        return SimpleNamespace(code=code, out=said.out, err=said.err)

    return run


def test_a_new_key_is_private_and_changes_nothing_until_the_settings_name_it(site, cli):
    before = (site.folder / "k1").read_text()

    first = cli("keys", "renew-sealing", "--json", SEALING_KEY=f"file:{site.folder / 'k1'}")
    second = cli("keys", "renew-sealing", "--json", SEALING_KEY=f"file:{site.folder / 'k1'}")

    told = json.loads(first.out)
    made = Path(told["place"].removeprefix("file:"))
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert made.name == f"sealing-key-{told['key']}"
    assert told["former_first"] == [told["place"]]
    assert told["former_then"] == [f"file:{site.folder / 'k1'}"]
    assert json.loads(second.out)["key"] != told["key"]
    assert (site.folder / "k1").read_text() == before


def test_where_no_key_is_no_other_can_follow(site, cli):
    refused = [cli("keys", verb) for verb in ("renew-sealing", "reseal")]

    assert [each.code for each in refused] == [2, 2]
    assert all("no sealing key in this data directory" in each.err for each in refused)
    assert not (site.folder / "sealing-key").exists()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"SEALING_KEY": "env:CARAPULSE_NO_SUCH_KEY"}, "CARAPULSE_SEALING_KEY names env:CARAPULSE_NO_SUCH_KEY"),
        ({"DATA_DIR": "{folder}/with space"}, "/sealing_key"),
        ({"DATA_DIR": "{folder}/k1"}, "a private key can't be kept"),
        ({"FORMER_SEALING_KEYS": "[file:"}, "former_sealing_keys"),
    ],
)
def test_a_key_that_nothing_could_use_is_not_made_and_the_reason_is_said(site, cli, settings, reason):
    given = {name: value.format(folder=site.folder) for name, value in settings.items()}
    before = sorted(site.folder.rglob("*"))

    said = cli("keys", "renew-sealing", **{"SEALING_KEY": f"file:{site.folder / 'k1'}", **given})

    assert said.code in {2, 5}
    assert reason in said.err
    assert sorted(site.folder.rglob("*")) == before


def test_what_is_printed_can_be_typed_wherever_the_data_is(site, cli):
    folder = site.folder / "ada's"

    said = cli("keys", "renew-sealing", SEALING_KEY=f"file:{site.folder / 'k1'}", DATA_DIR=str(folder))

    (line,) = [each for each in said.out.splitlines() if each.startswith("CARAPULSE_SEALING_KEY=")]
    (key,) = folder.iterdir()
    assert shlex.split(line) == [f"CARAPULSE_SEALING_KEY=file:{key}"]


def test_an_operator_changes_the_key_by_what_the_commands_say(site, cli):
    before = site.process("k1")
    source, key = before.a_source("alerts"), before.an_api_key("deployer")
    printed = cli("keys", "renew-sealing", SEALING_KEY=f"file:{site.folder / 'k1'}").out
    _, then = printed.split("2. Then")
    settings = dict(line.split("=", 1) for line in then.splitlines() if line.startswith("CARAPULSE_"))
    newest = {name.removeprefix("CARAPULSE_"): value.strip("'") for name, value in settings.items()}

    first = cli("keys", "reseal", **newest)
    name = Path(newest["SEALING_KEY"].removeprefix("file:")).name
    site.process(name, "k1").me(key)
    last = cli("keys", "reseal", **newest)

    assert newest.keys() == {"SEALING_KEY", "FORMER_SEALING_KEYS"}
    assert (first.code, last.code) == (0, 0)
    assert "1 rows sealed anew" in first.out
    assert "still needed by 1 API keys that were not used since" in first.out
    assert "0 rows sealed anew" in last.out
    assert "it may go" in last.out
    assert site.process(name).report(source, "msg_1") == 202
    assert site.process(name).me(key) == 200


def test_what_is_left_is_told_by_the_exit_code_too(site, cli):
    site.process("k3").a_source("lost")
    settings = {"SEALING_KEY": f"file:{site.folder / 'k2'}", "FORMER_SEALING_KEYS": f'["file:{site.folder / "k1"}"]'}

    said = cli("keys", "reseal", "--json", **settings)

    assert said.code == 1
    assert {name: json.loads(said.out)[name] for name in ("resealed", "unreadable", "left")} == {
        "resealed": 0,
        "unreadable": 1,
        "left": 1,
    }
    assert "secret_not_opened" in said.err


def test_no_former_key_is_said_to_be_of_no_use_to_a_database_that_was_never_there(site, cli):
    settings = {"SEALING_KEY": f"file:{site.folder / 'k2'}", "FORMER_SEALING_KEYS": f'["file:{site.folder / "k1"}"]'}
    elsewhere = site.folder / "elsewhere"

    said = cli("keys", "reseal", DATABASE_URL=None, DATA_DIR=str(elsewhere), **settings)

    assert said.code == 2
    assert "neither is there a database in this data directory" in " ".join(said.err.split())
    assert not elsewhere.exists()


def test_a_former_key_that_is_not_there_is_said_before_anything_is_touched(site, cli):
    settings = {"SEALING_KEY": f"file:{site.folder / 'k2'}", "FORMER_SEALING_KEYS": '["file:/nowhere/key"]'}

    said = cli("keys", "reseal", **settings)

    assert said.code == 2
    assert "CARAPULSE_FORMER_SEALING_KEYS names file:/nowhere/key" in " ".join(said.err.split())
