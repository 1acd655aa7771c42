"""Amazon's services as moto keeps them, behind a real port and nobody's credentials."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

from carapulse.adapters.aws.s3 import S3Blobs

NOBODY = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing", "AWS_DEFAULT_REGION": "eu-central-1"}
_buckets = count(1)


@contextmanager
def an_amazon() -> Iterator[ThreadedMotoServer]:
    """Serve them until the test is done, and let the environment say where."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        with set_in_environment(where(server)["AWS_ENDPOINT_URL"]):
            yield server
    finally:
        server.stop()


@contextmanager
def set_in_environment(address: str) -> Iterator[None]:
    """Let whoever asks Amazon ask this address meanwhile, as nobody in particular."""
    before = dict(os.environ)
    os.environ |= NOBODY | {"AWS_ENDPOINT_URL": address}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before


def where(server: ThreadedMotoServer) -> dict[str, str]:
    """Return what a process must have in its environment to find them."""
    host, port = server.get_host_and_port()
    return NOBODY | {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}


@dataclass
class S3World:
    """One bucket, and what lies in it."""

    client: Any
    bucket: str
    server: ThreadedMotoServer

    def versions(self) -> int:
        return len(self.client.list_object_versions(Bucket=self.bucket).get("Versions", ()))

    def locked(self) -> list[tuple[str, int]]:
        """Return of each version that is locked how, and for how many days from now."""
        listed = self.client.list_object_versions(Bucket=self.bucket).get("Versions", ())
        told = [
            self.client.head_object(Bucket=self.bucket, Key=each["Key"], VersionId=each["VersionId"]) for each in listed
        ]
        return [
            (each["ObjectLockMode"], round((each["ObjectLockRetainUntilDate"] - datetime.now(UTC)) / timedelta(days=1)))
            for each in told
            if "ObjectLockMode" in each
        ]

    def overwrite(self, content: bytes) -> None:
        """Change what lies there, as somebody might who may write."""
        for each in self.client.list_objects_v2(Bucket=self.bucket)["Contents"]:
            self.client.put_object(Bucket=self.bucket, Key=each["Key"], Body=content)

    def away(self) -> S3Blobs:
        """Let nobody answer any more, and return who would ask."""
        blobs = S3Blobs.connect(self.bucket)
        self.server.stop()
        return blobs


@contextmanager
def an_s3(*, versioned: bool = True, locking: bool = False) -> Iterator[S3World]:
    """Make a bucket, which keeps versions unless told otherwise, and can lock them if told so."""
    with an_amazon() as server:
        client, bucket = boto3.client("s3"), f"blobs-{next(_buckets)}"
        where_it_is = {"LocationConstraint": "eu-central-1"}
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration=where_it_is, ObjectLockEnabledForBucket=locking)
        if versioned:
            client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        yield S3World(client, bucket, server)
