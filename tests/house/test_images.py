"""What Dockerfiles say can be built by the lock file, is checked by its checksum, and runs as nobody special."""

import hashlib
import io
import re
import subprocess
import sys
import tarfile
import threading
import tomllib
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMAGES = sorted((ROOT / "infra" / "images").glob("*/Dockerfile"))
FETCH = ROOT / "infra" / "images" / "toolbox" / "fetch.py"
LOCK = {each["name"]: each for each in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def named(path):
    return path.parent.name


@pytest.mark.parametrize("image", IMAGES, ids=named)
def test_an_image_is_what_the_linter_of_images_wants(image):
    found = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), "--no-color", image], check=False, capture_output=True, text=True
    )

    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.parametrize("image", IMAGES, ids=named)
def test_an_image_ends_as_somebody_without_rights_whose_number_is_known(image):
    assert re.findall(r"^USER (.+)$", image.read_text(), re.MULTILINE)[-1] == "10001:10001"


@pytest.mark.parametrize("image", IMAGES, ids=named)
def test_an_image_names_the_version_of_this_program_and_no_latest(image):
    text = image.read_text()

    assert set(re.findall(r"\bcarapulse(?:-toolbox)?:([^\s\"]+)", text)) == {VERSION}
    assert "latest" not in text


def test_the_installer_in_the_image_is_the_one_of_the_lock_file():
    told = (ROOT / "infra" / "images" / "core" / "uv.txt").read_text()

    assert told.split(" ")[0] == f"uv=={LOCK['uv']['version']}"
    assert set(re.findall(r"--hash=(\S+)", told)) == {each["hash"] for each in LOCK["uv"]["wheels"]}


def test_what_is_copied_into_an_image_is_there_and_is_sent_to_the_builder():
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [
        source
        for image in IMAGES
        for line in re.findall(r"^COPY (?!--)(.+)$", image.read_text(), re.MULTILINE)
        for source in line.split()[:-1]
    ]

    assert copied
    assert not [each for each in copied if not (ROOT / each).exists()]
    assert not [each for each in copied if not any(Path(each).is_relative_to(one) for one in sent)]


@contextmanager
def published(folder):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def fetched(*arguments):
    return subprocess.run([sys.executable, FETCH, *arguments], check=False, capture_output=True, text=True)


def test_a_program_comes_into_the_toolbox_only_with_the_checksum_that_was_given(tmp_path):
    with tarfile.open(tmp_path / "tool.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo("linux-amd64/tool")
        entry.size = 4
        archive.addfile(entry, io.BytesIO(b"code"))
    right = hashlib.sha256((tmp_path / "tool.tar.gz").read_bytes()).hexdigest()
    got = tmp_path / "got"

    with published(tmp_path) as url:
        asked = (f"{url}/tool.tar.gz", "--to", got, "--member", "linux-amd64/tool")
        without, wrong = fetched(*asked, "--sha256", ""), fetched(*asked, "--sha256", "0" * 64)
        refused = got.exists()
        taken = fetched(*asked, "--sha256", right)

    assert "give the checksum of" in without.stderr
    assert f"has the checksum {right}" in wrong.stderr
    assert (without.returncode, wrong.returncode, refused, taken.returncode) == (1, 1, False, 0)
    assert (got.read_bytes(), got.stat().st_mode & 0o777) == (b"code", 0o755)
