"""What a result says of itself: why a written summary may be worth less than it looks."""

from __future__ import annotations

Remark = dict[str, str]

TOO_MANY = 0.3
"""Share of sentences without support from which a summary is not to be relied on."""


def unsupported(count: int, total: int, model: str) -> list[Remark]:
    if count <= TOO_MANY * total:
        return []
    return [
        {
            "code": "unsupported_sentences",
            "message": f"The text does not support {count} of {total} sentences that {model} "
            "wrote: see `supported` and `reasons` of each. Leave them out with strict=true, "
            "quote the text itself with method=extractive, or take a larger model.",
        }
    ]


def unchecked() -> list[Remark]:
    return [
        {
            "code": "support_not_measured",
            "message": "No embedding model is at hand, so no sentence was held against the text; "
            "pull one: `llmaas models pull all-minilm-l6-v2`.",
        }
    ]


def short(written: int, wanted: int, model: str) -> list[Remark]:
    return [
        {
            "code": "shorter_than_asked",
            "message": f"{model} wrote {written} of about {wanted} sentences, section by section, "
            "too; method=extractive or a larger model gives more.",
        }
    ]


def quoted(dropped: int, model: str) -> list[Remark]:
    return [
        {
            "code": "extractive_instead",
            "message": "The summary is made of sentences of the text itself: "
            f"{_nothing_of(dropped, model)}.",
        }
    ]


def empty(dropped: int, model: str) -> list[Remark]:
    return [
        {
            "code": "empty_summary",
            "message": f"The summary is empty: {_nothing_of(dropped, model)}, and no sentence of "
            "the text could stand for it.",
        }
    ]


def _nothing_of(dropped: int, model: str) -> str:
    if not dropped:
        return f"{model} wrote no sentence that can stand"
    return f"of the {dropped} sentences that {model} wrote, the text supports none"
