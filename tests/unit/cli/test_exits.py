"""Exit codes."""

import pytest

from carapulse.kernel.errors import Conflict, Denied, Invalid, NotFound, Unauthenticated, Unavailable
from carapulse.surfaces.cli.exits import ExitCode, of_problem, of_status


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 2), (413, 2), (415, 2), (422, 2), (401, 4), (403, 1), (409, 1), (404, 3), (429, 5), (500, 5), (503, 5)],
)
def test_each_status_has_one_exit_code(status, code):
    assert of_status(status) == code


@pytest.mark.parametrize(
    ("family", "code"),
    [(Invalid, 2), (Unauthenticated, 4), (NotFound, 3), (Conflict, 1), (Denied, 1), (Unavailable, 5)],
)
def test_a_problem_on_this_side_ends_as_the_same_problem_of_the_api_would(family, code):
    assert of_problem(family("no")) == code


def test_every_code_says_what_it_means():
    assert all(code.meaning for code in ExitCode)
