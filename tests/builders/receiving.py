"""Whoever is told: a real HTTP server that keeps what it gets, and reads signatures as the specification says."""

import base64
import hashlib
import hmac
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """Answers with what it is told to, in turn, and then with 200."""

    def __init__(self, server):
        self.address = f"127.0.0.1:{server.server_address[1]}"
        self.url = f"http://{self.address}/hook?key=a-key-in-the-address"
        self.got = []
        self.answers = []
        self.headers = {}
        self.open = threading.Event()
        """Until it is open, whoever comes waits for an answer."""
        self.open.set()

    def take(self, headers, body):
        self.got.append((headers, body))
        self.open.wait(60)
        return self.answers.pop(0) if self.answers else 200

    @property
    def ids(self):
        return [headers["webhook-id"] for headers, _ in self.got]


@contextmanager
def a_receiver():
    """Listen on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.take({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def is_signed(headers, body, secret):
    """Say whether one of the signatures is this secret's (Standard Webhooks 1.0.0), made just now."""
    if abs(time.time() - int(headers["webhook-timestamp"])) > 300:
        return False
    key = base64.b64decode(secret.split("_", 1)[1])
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    versions = [each.split(",", 1) for each in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(expected, given) for version, given in versions)
