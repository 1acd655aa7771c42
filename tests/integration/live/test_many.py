"""Five hundred clients that follow one process, over real sockets."""

import asyncio
import resource
import threading

import pytest

CLIENTS = 500


@pytest.fixture
def _files():
    """Both ends of every socket are in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4 * CLIENTS)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def opened(site, token):
    """Open a stream, and return it when it is open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    await reader.readuntil(b": open")
    return reader, writer


@pytest.mark.usefixtures("_files")
def test_five_hundred_idle_clients_have_no_thread_each_and_all_hear_an_event(site):
    token, before = site.app.token(), threading.active_count()

    async def follow():
        streams = [await opened(site, token) for _ in range(CLIENTS)]
        threads = threading.active_count()
        await asyncio.to_thread(site.app.happen, stream="plan_heard_by_all")
        heard = await asyncio.gather(*(reader.readuntil(b'"subject":"plan_heard_by_all"') for reader, _ in streams))
        for _, writer in streams:
            writer.close()
        return len(heard), threads

    heard, threads = asyncio.run(asyncio.wait_for(follow(), 60))

    assert heard == CLIENTS
    assert threads - before < 10
