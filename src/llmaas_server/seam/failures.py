"""A Problem on its way through the seam."""

from __future__ import annotations

from llmaas_server.errors import Problem

from .values import Failure


def failure_of(problem: Problem) -> Failure:
    return Failure(
        code=problem.code,
        message=problem.message,
        hint=problem.hint,
        param=problem.param,
        retry_after=problem.retry_after,
        needed=problem.needed,
        limit=problem.limit,
    )


def problem_of(failure: Failure) -> Problem:
    return Problem(
        failure.code,
        failure.message,
        hint=failure.hint,
        param=failure.param,
        retry_after=failure.retry_after,
        needed=failure.needed,
        limit=failure.limit,
    )
