"""What every keeper of blobs promises. An adapter joins by one line in ADAPTERS: how to make an empty one."""

import os
import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.world.aws import an_s3
from tests.world.google import BUCKET, a_google

from carapulse.adapters.aws.s3 import Lock, S3Blobs
from carapulse.adapters.files.blobs import FileBlobs
from carapulse.adapters.gcp.storage import GoogleBlobs
from carapulse.bootstrap.keeping import archive_blobs_of, blobs_of
from carapulse.kernel.blobs import BlobCorrupt, Blobs, NoSuchBlob, digest_of
from carapulse.kernel.clock import SystemClock
from carapulse.kernel.errors import Invalid, Unavailable
from carapulse.settings import Settings


@contextmanager
def in_a_bucket(_folder):
    with an_s3() as world:
        yield S3Blobs.connect(world.bucket)


@contextmanager
def at_google(folder):
    with a_google(folder) as google:
        yield GoogleBlobs.connect(BUCKET, google.url)


@contextmanager
def in_a_folder(folder):
    yield FileBlobs(folder / "blobs")


ADAPTERS: dict[str, Callable[[Path], AbstractContextManager[Blobs]]] = {
    "files": in_a_folder,
    "gcs": at_google,
    "s3": in_a_bucket,
}
CONTENTS = [b"", b"x", b"\x00\xff\r\n" * 7, b"a" * 3_000_000]
ABSENT = digest_of(b"never put")
SOON = timedelta(seconds=5)


@pytest.fixture(params=sorted(ADAPTERS))
def blobs(request, tmp_path):
    with ADAPTERS[request.param](tmp_path) as made:
        yield made


class TestBlobs:
    @pytest.mark.parametrize("content", CONTENTS, ids=len)
    def test_what_is_put_comes_back_under_the_digest_of_its_bytes(self, blobs, content):
        digest = blobs.put(content)

        assert digest == digest_of(content)
        assert blobs.get(digest) == content
        assert blobs.has(digest)

    def test_putting_again_gives_the_same_digest_and_keeps_one(self, blobs):
        assert blobs.put(b"again") == blobs.put(b"again")

        blobs.delete(digest_of(b"again"))
        assert not blobs.has(digest_of(b"again"))

    def test_what_was_never_put_is_not_there(self, blobs):
        assert not blobs.has(ABSENT)
        with pytest.raises(NoSuchBlob):
            blobs.get(ABSENT)

    def test_what_is_deleted_is_gone_and_deleting_again_is_nothing(self, blobs):
        digest, other = blobs.put(b"one"), blobs.put(b"other")

        for _ in range(2):
            blobs.delete(digest)

        assert (blobs.has(digest), blobs.has(other)) == (False, True)

    def test_what_was_put_since_a_moment_stays(self, blobs):
        digest = blobs.put(b"young")
        now = datetime.now(UTC)

        blobs.delete(digest, put_before=now - SOON)
        assert blobs.has(digest)
        blobs.delete(digest, put_before=now + SOON)
        assert not blobs.has(digest)

    @pytest.mark.parametrize("text", ["", "sha256:", "sha256:" + "A" * 64, "sha256:../../" + "a" * 58, ABSENT + "\n"])
    def test_only_a_digest_names_content(self, blobs, text):
        for ask in (blobs.get, blobs.has, blobs.delete):
            with pytest.raises(Invalid):
                ask(text)

    def test_many_may_put_and_read_the_same_at_once(self, blobs):
        contents = [bytes([number]) * 10_000 for number in range(4)] * 8

        with ThreadPoolExecutor(8) as pool:
            digests = list(pool.map(blobs.put, contents))
            assert list(pool.map(blobs.get, digests)) == contents


@pytest.mark.parametrize(
    ("settings", "keeper"),
    [({}, FileBlobs), ({"blobs_bucket": "acme"}, S3Blobs), ({"blobs_bucket": "gs://acme"}, GoogleBlobs)],
)
def test_the_settings_say_which_keeper_is_asked(settings, keeper, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")

    chosen = blobs_of(Settings(data_dir=tmp_path, **settings))

    assert isinstance(chosen, keeper)
    assert getattr(chosen, "bucket", "acme") == "acme"


class TestFiles:
    """What is promised of files alone."""

    @pytest.fixture
    def folder(self, tmp_path):
        return tmp_path / "deep" / "blobs"

    @pytest.fixture
    def files(self, folder):
        return FileBlobs(folder)

    def file_of(self, folder, content):
        name = digest_of(content).removeprefix("sha256:")
        return folder / name[:2] / name[2:4] / name

    def test_a_file_lies_two_folders_deep_and_is_its_owners_alone(self, files, folder):
        files.put(b"secret")

        file = self.file_of(folder, b"secret")
        modes = [stat.S_IMODE(each.stat().st_mode) for each in (folder, file.parent.parent, file.parent, file)]
        assert modes == [0o700, 0o700, 0o700, 0o600]

    @pytest.mark.parametrize("damage", [b"", b"cut", b"another content"])
    def test_damaged_content_is_never_returned_and_is_made_whole_by_putting_it_again(self, files, folder, damage):
        digest = files.put(b"the content")
        self.file_of(folder, b"the content").write_bytes(damage)

        with pytest.raises(BlobCorrupt):
            files.get(digest)
        files.put(b"the content")
        assert files.get(digest) == b"the content"

    def test_nothing_half_written_is_left_or_seen(self, files, folder):
        files.put(b"whole")

        written = [each for each in folder.rglob("*") if each.is_file() and each.name != ".lock"]
        assert written == [self.file_of(folder, b"whole")]

    def test_putting_again_makes_content_young(self, files, folder):
        digest = files.put(b"old")
        long_ago = (datetime.now(UTC) - timedelta(days=30)).timestamp()
        os.utime(self.file_of(folder, b"old"), (long_ago, long_ago))

        files.put(b"old")

        files.delete(digest, put_before=datetime.now(UTC) - SOON)
        assert files.has(digest)

    def test_a_folder_that_cannot_be_used_is_said(self, folder):
        folder.parent.mkdir()
        folder.write_text("a file stands where the folder would be")

        with pytest.raises(Unavailable, match="the folder of blobs can't be used"):
            FileBlobs(folder).put(b"x")
        with pytest.raises(Unavailable):
            FileBlobs(folder).get(ABSENT)


class TestS3:
    """What is promised of a bucket alone."""

    def test_a_version_that_somebody_puts_again_outlives_the_deletion_of_the_old(self):
        with an_s3() as world:
            blobs = S3Blobs.connect(world.bucket)
            digest = blobs.put(b"again")
            time.sleep(1.1)  # S3 tells whole seconds
            between = datetime.now(UTC)
            blobs.put(b"again")

            blobs.delete(digest, put_before=between)

            assert blobs.get(digest) == b"again"
            assert world.versions() == 1

    def test_content_that_was_changed_in_the_bucket_is_never_returned(self):
        with an_s3() as world:
            blobs = S3Blobs.connect(world.bucket)
            digest = blobs.put(b"the content")
            world.overwrite(b"another content")

            with pytest.raises(BlobCorrupt):
                blobs.get(digest)

    def test_a_bucket_that_keeps_no_versions_is_refused_before_anything_is_lost(self):
        with an_s3(versioned=False) as world:
            blobs = S3Blobs.connect(world.bucket)
            digest = blobs.put(b"the only one")

            with pytest.raises(Unavailable, match="must keep versions"):
                blobs.delete(digest)
            assert blobs.get(digest) == b"the only one"

    def test_what_is_locked_can_be_neither_deleted_nor_lost_by_putting_something_over_it(self):
        with an_s3(locking=True) as world:
            blobs = S3Blobs.connect(world.bucket, Lock("COMPLIANCE", 30, SystemClock()))
            digest = blobs.put(b"what happened")
            world.overwrite(b"what did not")

            with pytest.raises(Unavailable) as refused:
                blobs.delete(digest)

            assert refused.value.facts["code"] == "AccessDenied"
            assert world.locked() == [("COMPLIANCE", 30)]

    def test_archives_go_where_the_settings_say_and_are_locked_there_while_outputs_are_not(self):
        with an_s3() as outputs, an_s3(locking=True) as evidence:
            chosen = Settings(blobs_bucket=outputs.bucket, evidence_bucket=evidence.bucket, evidence_lock_days=7)

            blobs_of(chosen).put(b"an output")
            archive_blobs_of(chosen, SystemClock()).put(b"what happened")

            assert (evidence.versions(), evidence.locked()) == (1, [("GOVERNANCE", 7)])

    def test_content_is_locked_for_as_long_as_was_asked_and_without_that_not_at_all(self):
        with an_s3(locking=True) as world:
            blobs = S3Blobs.connect(world.bucket)
            digest = blobs.put(b"an output")

            blobs.delete(digest)

            assert not blobs.has(digest)

    def test_nothing_is_put_unlocked_into_a_bucket_that_cannot_lock(self):
        with an_s3() as world:
            blobs = S3Blobs.connect(world.bucket, Lock("GOVERNANCE", 1, SystemClock()))

            with pytest.raises(Unavailable):
                blobs.put(b"what happened")
            assert world.versions() == 0

    def test_a_bucket_that_is_not_there_or_away_is_said(self):
        with an_s3() as world:
            for ask in (lambda: S3Blobs.connect("no-such-bucket").put(b"x"), lambda: world.away().put(b"x")):
                with pytest.raises(Unavailable):
                    ask()


class TestCloudStorage:
    """What is promised of Google's bucket alone."""

    @pytest.fixture
    def google(self, tmp_path):
        with a_google(tmp_path) as world:
            yield world

    @pytest.fixture
    def blobs(self, google):
        return GoogleBlobs.connect(BUCKET, google.url)

    @pytest.mark.parametrize("versioned", [True, False])
    def test_a_generation_that_somebody_puts_again_outlives_the_deletion_of_the_old(self, google, blobs, versioned):
        google.versioned = versioned
        digest = blobs.put(b"again")
        for _ in range(4):
            blobs.put(b"again")
        time.sleep(0.01)
        between = datetime.now(UTC)
        time.sleep(0.01)
        blobs.put(b"again")

        blobs.delete(digest, put_before=between)

        assert blobs.get(digest) == b"again"
        assert len(google.objects) == 1

    def test_content_that_was_changed_in_the_bucket_is_never_returned(self, google, blobs):
        digest = blobs.put(b"the content")
        google.put(google.objects[0]["name"], b"another content")

        with pytest.raises(BlobCorrupt):
            blobs.get(digest)

    def test_whoever_puts_too_often_finds_what_another_just_put_and_nothing_older(self, google, blobs):
        digest = blobs.put(b"again")
        google.busy = True

        assert blobs.put(b"again") == digest
        google.objects[0]["timeCreated"] = "2026-01-01T00:00:00.000Z"
        for content in (b"again", b"something else"):
            with pytest.raises(Unavailable) as busy:
                blobs.put(content)
            assert busy.value.facts["status"] == 429

    @pytest.mark.parametrize("status", [403, 429, 503])
    def test_a_wall_a_crowd_and_a_broken_service_are_said(self, google, blobs, status):
        digest = blobs.put(b"x")
        google.failing = status, "no"

        for ask in (lambda: blobs.put(b"x"), lambda: blobs.get(digest), lambda: blobs.has(digest)):
            with pytest.raises(Unavailable) as problem:
                ask()
            assert (problem.value.facts["status"], problem.value.retryable) == (status, True)

    def test_a_bucket_that_is_not_there_or_away_is_said(self, google):
        for nowhere in (
            GoogleBlobs.connect("no-such-bucket", google.url),
            GoogleBlobs.connect(BUCKET, "http://127.0.0.1:1"),
        ):
            asks = (lambda: nowhere.put(b"x"), lambda: nowhere.get(ABSENT), lambda: nowhere.has(ABSENT))  # noqa: B023 - called in the same turn
            for ask in (*asks, lambda: nowhere.delete(ABSENT)):  # noqa: B023 - called in the same turn
                with pytest.raises(Unavailable):
                    ask()
