"""Summaries of parts, merged in rounds: neighbours together, as many as fit a prompt."""

from __future__ import annotations

from collections.abc import Sequence

from .writers import Writer

SEPARATOR_TOKENS = 24
"""Most tokens that a summary gains by standing in a prompt: its separator, the name of its
document, and a first character that is tokenized otherwise than it was generated."""


def joined(summaries: Sequence[str]) -> str:
    return "\n\n".join(summary for summary in summaries if summary)


def next_round(summaries: Sequence[str], reader: Writer, last: Writer) -> list[tuple[int, ...]]:
    """Prompts of the next round; none where one prompt of the `last` writer holds them all."""
    if len(summaries) == 1 or last.fits(last.prompt(joined(summaries), merging=True)):
        return []
    groups: list[list[str]] = []
    for summary in summaries:
        group = groups[-1] if groups else None
        if group and (len(group) < 2 or _fit([*group, summary], reader)):
            group.append(summary)
        else:
            groups.append([summary])
    return [reader.prompt(joined(group), merging=True) for group in groups]


def most_answers(parts: int, reader: Writer, last: Writer) -> list[int]:
    """Most answers of each round after the first, the last one included: 50 by 8 are [7, 1]."""
    fan_in = min(reader.room, last.room) // (reader.answer_tokens + SEPARATOR_TOKENS)
    rounds: list[int] = []
    while parts > 1:
        parts = -(-parts // max(2, fan_in))
        rounds.append(parts)
    # Where not even two fit the last prompt, they are merged into one that does.
    return rounds if rounds and fan_in > 1 else [*rounds, 1]


def _fit(group: Sequence[str], reader: Writer) -> bool:
    return reader.fits(reader.prompt(joined(group), merging=True))
