"""Where blobs and archives lie: in folders, or in buckets."""

from carapulse.adapters.files.blobs import FileBlobs
from carapulse.kernel.blobs import Blobs
from carapulse.kernel.clock import Clock
from carapulse.settings import Settings

_CLOUD_STORAGE = "gs://"


def blobs_of(settings: Settings) -> Blobs:
    """Return what keeps the outputs of steps that are too large for a row."""
    bucket = settings.blobs_bucket
    if bucket is None:
        return FileBlobs(settings.blobs_dir or settings.data_dir / "blobs")
    if bucket.startswith(_CLOUD_STORAGE):
        from carapulse.adapters.gcp.storage import GoogleBlobs

        return GoogleBlobs.connect(bucket.removeprefix(_CLOUD_STORAGE))
    from carapulse.adapters.aws.s3 import S3Blobs

    return S3Blobs.connect(bucket)


def archive_blobs_of(settings: Settings, clock: Clock) -> Blobs:
    """Return what keeps the events that left the log, if it is a place of its own; otherwise the place of blobs."""
    if settings.evidence_bucket is None:
        return blobs_of(settings)
    from carapulse.adapters.aws.s3 import Lock, S3Blobs

    days = settings.evidence_lock_days
    lock = None if days is None else Lock(settings.evidence_lock_mode, days, clock)
    return S3Blobs.connect(settings.evidence_bucket, lock)
