"""The evidence key is made once, and only its owner can read it."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from carapulse.audit.keys import PUBLIC_FILE, SECRET_FILE, open_evidence_key
from carapulse.audit.verifier import Key
from carapulse.bootstrap.keys import former_keys_of
from carapulse.identity.errors import KeyExposed
from carapulse.kernel.errors import Invalid
from carapulse.settings import Settings


def test_the_key_is_made_at_the_first_start_and_found_at_the_next(tmp_path):
    first = open_evidence_key(tmp_path / "data")

    assert open_evidence_key(tmp_path / "data").text() == first.text()


def test_only_its_owner_can_read_the_key_and_its_public_half_lies_beside_it(tmp_path):
    signer = open_evidence_key(tmp_path)

    assert stat.S_IMODE((tmp_path / SECRET_FILE).stat().st_mode) == 0o600
    assert Key.parse((tmp_path / PUBLIC_FILE).read_text()) == signer.key
    assert sorted(path.name for path in tmp_path.iterdir()) == [SECRET_FILE, PUBLIC_FILE]


def test_the_public_half_is_put_right_if_it_is_not_the_keys(tmp_path):
    signer = open_evidence_key(tmp_path)
    (tmp_path / PUBLIC_FILE).write_text("another\n")

    open_evidence_key(tmp_path)

    assert Key.parse((tmp_path / PUBLIC_FILE).read_text()) == signer.key


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_key_that_others_can_read_or_replace_is_refused(tmp_path, mode):
    open_evidence_key(tmp_path)
    (tmp_path / SECRET_FILE).chmod(mode)

    with pytest.raises(KeyExposed):
        open_evidence_key(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"PRIVATE+KEY+a+b", b"x" * 10_000])
def test_a_key_file_that_holds_no_key_is_refused(tmp_path, content):
    (tmp_path / SECRET_FILE).write_bytes(content)
    (tmp_path / SECRET_FILE).chmod(0o600)

    with pytest.raises(Invalid):
        open_evidence_key(tmp_path)


def test_many_programs_that_start_at_once_agree_on_one_key(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: open_evidence_key(tmp_path).text(), range(64)))

    assert len(keys) == 1


def test_two_installations_have_different_names(tmp_path):
    assert open_evidence_key(tmp_path / "a").name != open_evidence_key(tmp_path / "b").name


def test_a_former_key_that_is_no_key_stops_the_start():
    with pytest.raises(Invalid, match="CARAPULSE_FORMER_EVIDENCE_KEYS"):
        former_keys_of(Settings(former_evidence_keys=("evidence.vkey",)))
