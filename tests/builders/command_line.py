"""Changes that the command line is tried with, and how it is run."""

import json
import logging
import sys
import threading
from contextlib import contextmanager

import pytest
import yaml

from carapulse.surfaces.cli.main import main
from carapulse.surfaces.demo.regression import request


def ended(arguments):
    """Run a command, and return its exit code."""
    with _logging_kept(), pytest.raises(SystemExit) as exit_:
        main(arguments)
    return exit_.value.code


@contextmanager
def _logging_kept():
    """Log afterwards as before: a command may send what a process logs to a stream that ends with the test."""
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(capture=False)
        sys.excepthook, threading.excepthook = hooks


def a_request(installed, **changes):
    """Return a change that helps: the release that runs is declared again."""
    return {**request(installed.world, "1.4.0"), "summary": "As it is", **changes}


def never_verified(installed, attempts):
    """Return the steps of a change whose verification can't hold."""
    *others, last = a_request(installed)["steps"]
    hopeless = {"expect": [{"path": "status", "op": "eq", "value": 418}], "retry": {"attempts": attempts}}
    return [*others, {**last, **hopeless}]


def a_plan(cli, installed, *, approved=False, **changes):
    """Return a plan as ada asked for it, approved by lin if wanted."""
    path = installed.folder / "request.yaml"
    path.write_text(yaml.safe_dump(a_request(installed, **changes)))
    plan = json.loads(cli("ada", "plan", "create", "--file", str(path), "--json").out)
    if approved:
        assert cli("lin", "plan", "approve", plan["plan_id"], "--digest", plan["digest"]).code == 0
    return plan
