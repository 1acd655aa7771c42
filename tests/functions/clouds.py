"""The two kinds of cloud around a function: Lambda's Runtime API with its real client, and functions-framework."""

import base64
import json
import os
import queue
import socket
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import httpx
from tests.world.issuer import an_issuer
from tests.world.warm import ROOT, ended, started

EVENTS = ROOT / "tests" / "events"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:test"
_LONGEST_S = 60
PUSH = {
    "CARAPULSE_PUSH": "google",
    "CARAPULSE_PUSH_AUDIENCE": "https://carapulse.example/planning",
    "CARAPULSE_PUSH_ACCOUNT": "push@acme.iam.gserviceaccount.com",
}
"""Who may push in these tests."""

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: _LONGEST_S * 1000)
"""What Lambda tells a function besides its event, where a test calls it in its own process."""


def recorded(name):
    """Return a recorded event of a cloud."""
    return json.loads((EVENTS / f"{name}.json").read_text())


def a_request(method, path, *, body=None, **headers):
    """Return the event that API Gateway makes of a request."""
    event = recorded("aws/http_api")
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    event["requestContext"]["http"]["method"] = method
    event["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
    return event if body is None else {**event, "body": body.decode()}


class RuntimeApi(ThreadingHTTPServer):
    """What Lambda tells a function's process: the next invocation, and where its answer goes."""

    daemon_threads = True

    def __init__(self):
        self.invocations: queue.Queue[Any] = queue.Queue()
        self.answers: queue.Queue[Any] = queue.Queue()
        super().__init__(("127.0.0.1", 0), _RuntimeRequest)

    def handle_error(self, request, client_address):
        """Let a function's process be ended while it waits for its next invocation."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def address(self):
        return f"127.0.0.1:{self.server_port}"


class _RuntimeRequest(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: RuntimeApi

    def do_GET(self):
        event = self.server.invocations.get()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + _LONGEST_S) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
        }
        self._answer(200, json.dumps(event).encode(), headers)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.answers.put((self.path.rpartition("/")[2], json.loads(body)))
        self._answer(202, b"{}", {})

    def _answer(self, status, body, headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Lambda:
    """One function as Lambda runs it."""

    def __init__(self, api):
        self._api = api

    def __call__(self, event):
        """Invoke the function, and return `response` or `error`, and what it said."""
        self._api.invocations.put(event)
        return self._api.answers.get(timeout=_LONGEST_S)

    def begun(self):
        """Return what the function says that could not begin."""
        return self._api.answers.get(timeout=_LONGEST_S)

    def messages(self, *bodies, times=1):
        """Hand over a batch from SQS, and return the numbers of those that go back."""
        record = recorded("aws/sqs_batch")["Records"][0]
        record["attributes"]["ApproximateReceiveCount"] = str(times)
        records = [{**record, "messageId": str(number), "body": body} for number, body in enumerate(bodies)]
        kind, said = self({"Records": records})
        assert kind == "response", said
        return [int(each["itemIdentifier"]) for each in said["batchItemFailures"]]


class Framework:
    """One function as Cloud Run or Knative runs it."""

    def __init__(self, url):
        self.url = url

    def event(self, event):
        """Deliver a CloudEvent, and return the status; anything but 2xx makes a broker try again."""
        given = {"Content-Type": "application/cloudevents+json"}
        return self.post(json.dumps(event).encode(), **given).status_code

    def binary(self, event):
        """Deliver a CloudEvent whose attributes are headers, and return the status."""
        given = {f"ce-{name}": quote(str(each)) for name, each in event.items() if name != "data"}
        return self.post(json.dumps(event.get("data")).encode(), **given).status_code

    def post(self, body, **headers):
        return httpx.post(self.url, content=body, headers=headers, timeout=_LONGEST_S)


class Pushed(Framework):
    """One function that Google pushes to, as the account that it expects."""

    def __init__(self, url, issuer):
        super().__init__(url)
        self._issuer = issuer

    def token(self, **changed):
        """Return what Google signs for a push."""
        said = {"aud": PUSH["CARAPULSE_PUSH_AUDIENCE"], "email": PUSH["CARAPULSE_PUSH_ACCOUNT"], "email_verified": True}
        return self._issuer.signed(self._issuer.claims(**{"org": None, **said, **changed}), typ="JWT")

    def rotate(self):
        """Let Google sign with another key from now on."""
        self._issuer.rotate()

    def message(self, body, times=1, token=None):
        """Deliver one message of a push subscription, and return the status."""
        push = recorded("pubsub/push")
        push["message"]["data"] = base64.b64encode(body.encode()).decode()
        return self.push({**push, "deliveryAttempt": times}, token=token).status_code

    def push(self, content, *, token=None):
        """Deliver whatever comes, with a token that is good if none is given."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.post(body, Authorization=f"Bearer {self.token() if token is None else token}")


@contextmanager
def on_lambda(function, environment):
    """Run a function in a process of its own, under Lambda's runtime client."""
    api = RuntimeApi()
    threading.Thread(target=api.serve_forever, daemon=True).start()
    given = {"AWS_LAMBDA_RUNTIME_API": api.address, "AWS_LAMBDA_FUNCTION_NAME": function, "AWS_REGION": "us-east-1"}
    process = started(["awslambdaric", f"functions/{function}/main.lambda_handler"], _own(environment | given))
    try:
        yield Lambda(api)
    finally:
        ended(process, 5)
        api.shutdown()
        api.server_close()


@contextmanager
def on_framework(function, environment):
    """Run a function in a process of its own, under functions-framework, where a broker of CloudEvents calls it."""
    with _framework(function, {"CARAPULSE_PUSH": "cloudevents", **environment}) as url:
        yield Framework(url)


@contextmanager
def on_google(function, environment):
    """Run a function in a process of its own, under functions-framework, where Pub/Sub or Cloud Scheduler calls it."""
    with an_issuer("RS256") as issuer:
        given = {**environment, **PUSH, "CARAPULSE_PUSH_ISSUER": issuer.url}
        with _framework(function, given) as url:
            yield Pushed(url, issuer)


@contextmanager
def _framework(function, environment):
    port = _free_port()
    source = ["--source", f"functions/{function}/main.py", "--target", "cloud_handler"]
    options = ["--signature-type", "http", "--host", "127.0.0.1", "--port", str(port)]
    with serving(["functions_framework", *source, *options], environment, port) as url:
        yield url


@contextmanager
def on_uvicorn(function, environment):
    """Serve a function's HTTP application in a process of its own, and give its address."""
    port = _free_port()
    options = ["--app-dir", f"functions/{function}", "main:app", "--host", "127.0.0.1", "--port", str(port)]
    with serving(["uvicorn", *options], environment, port) as url:
        yield url


@contextmanager
def serving(command, environment, port):
    """Run a server until the test is done with it."""
    process = started(command, _own(environment))
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        ended(process, 5)


def _own(environment):
    return {"PATH": os.environ["PATH"], "PYTHONPATH": "shared", **environment}


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(port, process):
    until = time.monotonic() + _LONGEST_S
    while time.monotonic() < until:
        assert process.poll() is None, "the server ended at its start"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the server did not listen in time")
