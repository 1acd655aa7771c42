"""Blobs in a folder: each a file of its own, named by its digest, two folders deep, readable by their owner alone."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from carapulse.kernel.blobs import BlobCorrupt, NoSuchBlob, digest_of, hex_of
from carapulse.kernel.errors import Unavailable

_LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class FileBlobs:
    """Content appears under its name only when it is complete and on the disk. Nothing is made before it is needed."""

    folder: Path

    def put(self, content: bytes) -> str:
        """Keep content durably and return its digest; a file that was damaged is made whole."""
        digest = digest_of(content)
        path = self._path(digest)
        with _told(self.folder), self._held(fcntl.LOCK_SH):
            if path.is_file() and path.read_bytes() == content:
                os.utime(path)
            else:
                _write(path, content)
        return digest

    def get(self, digest: str) -> bytes:
        """Return the content, checked against its digest; raises NoSuchBlob or BlobCorrupt."""
        path = self._path(digest)
        with _told(self.folder):
            try:
                content = path.read_bytes()
            except FileNotFoundError as error:
                raise NoSuchBlob("no content with this digest is kept", digest=digest) from error
        if digest_of(content) != digest:
            raise BlobCorrupt("the content is not what its digest names", digest=digest)
        return content

    def has(self, digest: str) -> bool:
        """Return whether content is kept under this digest, without reading it."""
        with _told(self.folder):
            return self._path(digest).is_file()

    def delete(self, digest: str, *, put_before: datetime | None = None) -> None:
        """Forget content, unless somebody put it again since a moment."""
        path = self._path(digest)
        with _told(self.folder), self._held(fcntl.LOCK_EX):
            if path.exists() and (put_before is None or path.stat().st_mtime < put_before.timestamp()):
                path.unlink()

    def _path(self, digest: str) -> Path:
        name = hex_of(digest)
        return self.folder / name[:2] / name[2:4] / name

    @contextmanager
    def _held(self, kind: int) -> Iterator[None]:
        """Keep others from deleting while content is put, and from putting while it is looked at and deleted."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, kind)
            yield
        finally:
            os.close(handle)


def _write(path: Path, content: bytes) -> None:
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(mode=0o700, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    for folder in (path.parent, path.parent.parent, path.parent.parent.parent):
        _flush(folder)


def _flush(folder: Path) -> None:
    """Bring the names in a folder to the disk: a file whose name is lost is lost."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(f"the folder of blobs can't be used: {error.strerror}", folder=str(folder)) from error
