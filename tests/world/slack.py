"""Slack, as far as replies are sent to it: it keeps what it is told, and answers as a test wants."""

import json
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Slack(ThreadingHTTPServer):
    """Listens on loopback."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Request)
        self.told = []
        self.statuses = []
        """What it answers next; 200 once that is used up."""

    @property
    def address(self):
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self):
        return f"http://{self.address}/actions/1234/5678"


class _Request(BaseHTTPRequestHandler):
    server: Slack

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.server.told.append((status, json.loads(body)))
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def handle(self):
        with suppress(BrokenPipeError):
            super().handle()

    def log_message(self, *_):
        pass


@contextmanager
def a_slack():
    slack = Slack()
    threading.Thread(target=slack.serve_forever, daemon=True).start()
    yield slack
    slack.shutdown()
    slack.server_close()
