"""Sealing under several keys: the newest seals, every one that is listed opens, and no other."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carapulse.adapters.sealing import AesGcmSealer
from carapulse.adapters.secrets.local import LocalSecrets
from carapulse.bootstrap.keys import sealer_of
from carapulse.identity.errors import KeyExposed
from carapulse.kernel.errors import Invalid, Unavailable
from carapulse.settings import load_settings

KEYS = st.lists(st.binary(min_size=32, max_size=32), min_size=2, max_size=4, unique=True)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def sealers(keys):
    return [AesGcmSealer(key) for key in keys]


@given(KEYS, TEXT, st.data())
def test_whatever_any_of_the_keys_sealed_opens_and_is_sealed_anew_by_the_newest(keys, text, data):
    newest, *former = sealers(keys)
    sealer = newest.after(former)

    sealed = data.draw(st.sampled_from([newest, *former])).seal(text, "purpose")

    assert sealer.open(sealed, "purpose") == text
    assert newest.open(sealer.seal(text, "purpose"), "purpose") == text
    with pytest.raises(Unavailable, match="can't be opened"):
        sealer.open(sealed, "another")


@given(KEYS, TEXT)
def test_what_a_dropped_key_sealed_opens_no_more_and_the_reason_names_the_setting_and_no_key(keys, text):
    newest, *former, dropped = sealers(keys)
    sealed = dropped.seal(text, "purpose")

    with pytest.raises(Unavailable, match="CARAPULSE_FORMER_SEALING_KEYS") as refused:
        newest.after(former).open(sealed, "purpose")

    assert dropped.newest not in f"{refused.value.detail}{refused.value.facts}"


@given(KEYS, TEXT, st.data())
def test_a_text_is_known_by_its_mark_under_any_of_the_keys_and_which_one_is_told(keys, text, data):
    newest, *former, dropped = sealers(keys)
    sealer, by = newest.after(former), data.draw(st.sampled_from([newest, *former]))

    assert sealer.marked_by(by.mark(text, "purpose"), text, "purpose") == by.newest
    assert sealer.marked_by(by.mark(text, "purpose"), text, "another") is None
    assert sealer.marked_by(dropped.mark(text, "purpose"), text, "purpose") is None
    assert sealer.mark(text, "purpose") == newest.mark(text, "purpose")


def in_first_form(sealer, text):
    """Return what was sealed before texts said which key sealed them."""
    return "v1." + sealer.seal(text, "purpose").rpartition(".")[2]


def test_what_was_sealed_before_keys_had_names_is_tried_with_each():
    older, newer, other = sealers([b"a" * 32, b"b" * 32, b"c" * 32])

    assert newer.after([other, older]).open(in_first_form(older, "hush"), "purpose") == "hush"
    with pytest.raises(Unavailable, match="can't be opened"):
        newer.after([other]).open(in_first_form(older, "hush"), "purpose")


@pytest.mark.parametrize("sealed", ["", "v1.", "v2.", "v2.0f", "v2.0f0f0f0f0f0f0f0f", "v3.x.y", "ä", "v1.ä", "v1.AAAA"])
def test_what_is_no_sealed_text_is_refused_as_any_that_does_not_open(sealed):
    with pytest.raises(Unavailable):
        AesGcmSealer(b"a" * 32).open(sealed, "purpose")


def test_a_text_of_a_listed_key_that_was_changed_does_not_open():
    sealer = AesGcmSealer(b"a" * 32)
    sealed = sealer.seal("hush", "purpose")

    with pytest.raises(Unavailable, match="can't be opened"):
        sealer.open(sealed[:-8] + "AAAAAAA=", "purpose")


def test_a_sealer_tells_no_key_when_it_is_printed():
    sealer = AesGcmSealer(b"a" * 32).after([AesGcmSealer(b"b" * 32)])

    assert "aaa" not in repr(sealer)
    assert "bbb" not in repr(sealer)


HEX = {"NEW": "0a" * 32, "OLD": "0b" * 32, "SAME": base64.b64encode(b"\x0a" * 32).decode(), "SHORT": "0c"}


def named(tmp_path, newest, *former):
    settings = load_settings(data_dir=tmp_path, sealing_key=newest, former_sealing_keys=json.loads(json.dumps(former)))
    return sealer_of(settings, LocalSecrets(HEX))


def test_keys_are_read_from_where_the_settings_name_them(tmp_path):
    sealed = named(tmp_path, "env:OLD").seal("hush", "purpose")

    assert named(tmp_path, "env:NEW", "env:OLD").open(sealed, "purpose") == "hush"
    assert named(tmp_path, "env:NEW", "env:OLD").former_ids == (named(tmp_path, "env:OLD").newest,)


@pytest.mark.parametrize(
    ("former", "reason"),
    [
        (["env:NEW"], "env:NEW holds the same key as env:NEW"),
        (["env:SAME"], "env:SAME holds the same key as env:NEW"),
        (["env:OLD", "env:OLD"], "env:OLD holds the same key as env:OLD"),
        (["env:NONE"], "CARAPULSE_FORMER_SEALING_KEYS names env:NONE"),
        (["file:/nowhere/at/all"], "CARAPULSE_FORMER_SEALING_KEYS names file:/nowhere/at/all"),
        (["file:/nowhere\0"], "CARAPULSE_FORMER_SEALING_KEYS names file:/nowhere"),
        (["file:{folder}/private"], "CARAPULSE_FORMER_SEALING_KEYS names file:"),
        (["env:SHORT"], "sealing key"),
    ],
)
def test_a_former_key_that_is_not_there_or_is_told_twice_stops_the_start(tmp_path, former, reason):
    (tmp_path / "private").mkdir(mode=0o700)  # a folder, where a file is meant

    with pytest.raises(Invalid, match=reason):
        named(tmp_path, "env:NEW", *(each.format(folder=tmp_path) for each in former))


def test_a_former_key_is_named_by_where_it_lies_and_never_given_itself():
    with pytest.raises(Invalid):
        load_settings(former_sealing_keys=["0a" * 32])


@pytest.mark.parametrize("role", ["newest", "former"])
def test_a_key_in_the_data_directory_that_others_can_read_stops_the_start(tmp_path, role):
    AesGcmSealer.load_or_make(tmp_path)
    other = tmp_path / "sealing-key-other"
    other.write_text("0b" * 32)
    other.chmod(0o640)
    names = {"newest": (f"file:{other}",), "former": (None, f"file:{other}")}

    with pytest.raises(KeyExposed):
        named(tmp_path, *names[role])

    other.chmod(0o600)
    assert named(tmp_path, *names[role])


def test_where_the_first_key_was_let_go_no_other_is_made_in_its_place(tmp_path):
    (tmp_path / "sealing-key-0a0a0a0a0a0a0a0a").write_text("0a" * 32)

    with pytest.raises(Invalid, match="CARAPULSE_SEALING_KEY"):
        named(tmp_path, None)

    assert [each.name for each in tmp_path.iterdir()] == ["sealing-key-0a0a0a0a0a0a0a0a"]
