"""`/v1/usage`: what was used, as JSON or as CSV."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from llmaas_client.wire.usage import DIMENSIONS, UsageDimension, UsageReport
from llmaas_server.errors import Problem
from llmaas_server.gateway.access import management
from llmaas_server.gateway.usage import MOST_GROUPS, UsageQuery, UsageReports
from llmaas_server.gateway.views import micros
from llmaas_server.storage.usage import UsageFilter

from .door import actor_of
from .endpoint import Endpoint, Parameter
from .managing import query_of
from .paging import limit_of, number_of, numbers, parameters

PATH = "/v1/usage"

MOST_AFTER = 2**53
MOMENT = {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}

PARAMETERS = (
    Parameter(
        "by",
        "How to group, with commas between.",
        {
            "type": "array",
            "items": {"type": "string", "enum": list(DIMENSIONS)},
            "uniqueItems": True,
            "default": [],
        },
    ),
    Parameter(
        "since",
        "Calls admitted from then on: a day or a moment of ISO 8601, in UTC.",
        MOMENT,
    ),
    Parameter("until", "Calls admitted before then.", MOMENT),
    Parameter("account_id", "Only of this account."),
    Parameter("application_id", "Only of this application."),
    Parameter("key_id", "Only of this key."),
    Parameter("task", "Only of this task."),
    Parameter("model", "Only of this model."),
    *parameters("groups", MOST_GROUPS, MOST_GROUPS, numbers(MOST_AFTER)),
    Parameter(
        "format",
        "`csv` has one line for each group.",
        {"type": "string", "enum": ["json", "csv"], "default": "json"},
    ),
)


class ReportUsage:
    """`GET /v1/usage`."""

    def __init__(self, reports: UsageReports) -> None:
        self._reports = reports

    async def answer(self, request: Request) -> Response:
        given = query_of(request.scope, PARAMETERS)
        format = given.get("format", "json")
        if format not in ("json", "csv"):
            raise _wrong("format", format, "json or csv")
        since, until = _moment(given, "since"), _moment(given, "until")
        query = UsageQuery(
            UsageFilter(
                since=None if since is None else micros(since),
                until=None if until is None else micros(until),
                account_id=given.get("account_id"),
                application_id=given.get("application_id"),
                key_id=given.get("key_id"),
                task=given.get("task"),
                model=given.get("model"),
            ),
            by=_dimensions(given),
            after=number_of(given, "after", 0, least=0, most=MOST_AFTER),
            limit=limit_of(given, MOST_GROUPS, MOST_GROUPS),
        )
        report = await self._reports.report(actor_of(request.scope), query)
        told = UsageReport(
            since=since,
            until=until,
            by=list(query.by),
            groups=report.groups,
            total=report.total,
            next=report.next,
        )
        if format == "csv":
            return _csv(told)
        return Response(
            told.model_dump_json(),
            headers={"cache-control": "no-store"},
            media_type="application/json",
        )


def _csv(report: UsageReport) -> Response:
    headers = {
        "cache-control": "no-store",
        "content-disposition": 'attachment; filename="usage.csv"',
    }
    return Response(report.to_csv(), headers=headers, media_type="text/csv")


def _dimensions(given: Mapping[str, str]) -> tuple[UsageDimension, ...]:
    names = [name for name in given.get("by", "").split(",") if name]
    known = {dimension: dimension for dimension in DIMENSIONS}
    for name in names:
        if name not in known or names.count(name) > 1:
            raise _wrong("by", name, f"each at most once of {', '.join(DIMENSIONS)}")
    return tuple(known[name] for name in names if name in known)


def _moment(given: Mapping[str, str], name: str) -> datetime | None:
    """A moment without a zone is in UTC."""
    if name not in given:
        return None
    try:
        moment = datetime.fromisoformat(given[name])
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise _wrong(name, given[name], "a day or a moment, such as 2026-01-31") from None


def _wrong(name: str, given: str, expected: str) -> Problem:
    return Problem("invalid_request", f"{name} is {given!r}, not {expected}", param=name)


def endpoints(reports: UsageReports) -> list[Endpoint]:
    return [
        Endpoint(
            "GET",
            PATH,
            "What was used",
            ReportUsage(reports).answer,
            management("usage:read"),
            UsageReport,
            query=PARAMETERS,
            texts=("text/csv",),
            errors=("unknown_field", "invalid_request", "not_found", "storage_unavailable"),
        )
    ]
