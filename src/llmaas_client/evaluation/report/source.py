"""What every page says: who answered, how much of it there is, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .document import Block, Grid, Heading, Paragraph, Points, share

if TYPE_CHECKING:
    from llmaas_client.evaluation.asking import Refused
    from llmaas_client.evaluation.intervals import Interval
    from llmaas_client.evaluation.origin import Source

MOST_REFUSED = 20


def about(source: Source, rows: int, interrupted: bool) -> Iterator[Block]:
    who = f"{source.classifier} on {source.model}" if source.classifier else source.model
    told = f"{rows} rows, answered by {who} (method {source.method}; "
    told += f"{source.prompt_tokens + source.completion_tokens} tokens"
    told += ")." if source.cost is None else f"; cost {source.cost})."
    yield Paragraph(told)
    if interrupted:
        yield Paragraph(
            "Interrupted: these are the rows that were done until then, which need not be like "
            "the rest of the file."
        )
    if source.warnings:
        yield Paragraph("The server warned:")
        yield Points(source.warnings)


def unanswered(refused: Sequence[Refused]) -> Iterator[Block]:
    """Rows that the server refused and that count nowhere."""
    if not refused:
        return
    yield Heading("Refused rows")
    yield Paragraph(f"{len(refused)} rows were refused by the server, and count nowhere above.")
    rows = [(one.where, one.code, one.message) for one in refused[:MOST_REFUSED]]
    yield Grid(("row", "code", "reason"), rows, words=(0, 1, 2))
    if (more := len(refused) - MOST_REFUSED) > 0:
        yield Paragraph(f"{more} more are in report.json.")


def spread(interval: Interval) -> str:
    """In per cent."""
    return f"{share(interval.low)} to {share(interval.high)}"


def signed(interval: Interval) -> str:
    return f"{interval.low:+.3f} to {interval.high:+.3f}"
