"""A problem crosses the seam with all that it says."""

from __future__ import annotations

from llmaas_server.errors import Problem, context_overflow
from llmaas_server.seam.failures import failure_of, problem_of


def test_everything_said_arrives() -> None:
    problem = Problem("overloaded", "full", hint="wait", param="text", retry_after=2.0)
    assert vars(problem_of(failure_of(problem))) == vars(problem)


def test_an_overflow_has_both_numbers() -> None:
    problem = problem_of(failure_of(context_overflow(2100, 2048)))
    assert (problem.needed, problem.limit) == (2100, 2048)
    detail = problem.body("req-1").error
    assert (detail.needed, detail.limit) == (2100, 2048)
