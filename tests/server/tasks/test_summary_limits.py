"""What every extractive summary keeps to, whatever the text: length, words, spans, documents."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from llmaas_server.errors import Problem
from llmaas_server.tasks.summarizers.shape import LENGTHS
from llmaas_server.tasks.text import words
from support.fake_runtime import FakeRuntime, fake_model
from support.tasks import Outcome, run_task

ENGLISH = """
    river flood bridge town council school plan money water stone road child year storm roof
    engine market doctor train island winter paper window farmer captain letter garden
""".split()  # noqa: SIM905
CHINESE = "河水桥镇学校钱石路孩年风屋火车岛冬天报纸窗农民船长信花园医生市场议会计划"
OPENINGS = ("", "", "", "He said ", "This ", "But ", "However, ")
CHINESE_OPENINGS = ("", "", "", "他说", "但是，", "因此，", "这")


def english(dice: random.Random) -> str:
    sentences = [
        dice.choice(OPENINGS) + " ".join(dice.sample(ENGLISH, dice.randrange(4, 14)))
        for _ in range(dice.randrange(1, 30))
    ]
    return " ".join(text[:1].upper() + text[1:] + dice.choice("...!?") for text in sentences)


def chinese(dice: random.Random) -> str:
    return "".join(
        dice.choice(CHINESE_OPENINGS)
        + "".join(dice.choice(CHINESE) for _ in range(dice.randrange(6, 40)))
        + dice.choice("。。。！？")
        for _ in range(dice.randrange(1, 30))
    )


def mixed(dice: random.Random) -> str:
    return " ".join(dice.choice((english, chinese))(dice) for _ in range(3))


async def extract(text: str | list[str], **request: Any) -> Outcome:
    return await run_task("summarize", fake_model(), FakeRuntime(), text=text, **request)


@pytest.mark.parametrize("write", [english, chinese, mixed])
@pytest.mark.parametrize("style", ["paragraph", "bullets", "headline"])
@pytest.mark.parametrize("documents", [1, 4])
async def test_limits_hold_whatever_the_text(
    write: Callable[[random.Random], str], style: str, documents: int
) -> None:
    refusals: set[tuple[str, str | None]] = set()
    summaries = 0
    for seed in range(12):
        dice = random.Random(seed)
        texts = [write(dice) for _ in range(documents)]
        request: dict[str, Any] = {
            "style": style,
            "length": dice.choice(list(LENGTHS)),
            "max_words": dice.choice([None, 5, 20, 60, 200]),
            "focus": dice.choice([None, "the bridge over the river", "桥和河水"]),
        }
        try:
            outcome = await extract(texts, **request)
        except Problem as refusal:
            refusals.add((refusal.code, refusal.param))
        else:
            check(outcome, texts, request)
            summaries += 1
    assert refusals <= {("invalid_request", "max_words")}
    assert summaries > 6


def check(outcome: Outcome, texts: list[str], request: dict[str, Any]) -> None:
    summary = outcome.wire
    assert outcome.streamed == summary.summary
    assert 0 < summary.words == words.count(summary.summary)
    for sentence in summary.sentences:
        (span,) = sentence.sources
        assert texts[span.document][span.start : span.end] == sentence.text
        assert (sentence.support, sentence.supported, sentence.reasons) == (1.0, True, [])
    most = request["max_words"]
    if isinstance(most, int):
        assert summary.words <= most
    if request["style"] == "headline":
        assert len(summary.sentences) == 1
        return
    wanted = min(LENGTHS[str(request["length"])], -(-len(outcome.prompt.sentences) // 2))
    assert len(summary.sentences) <= wanted
    if most is None:
        # A sentence that hangs on another may find no room for the two.
        assert len(summary.sentences) >= wanted - 1
    if most is None and len(texts) <= wanted:
        assert {s.sources[0].document for s in summary.sentences} == set(range(len(texts)))


async def test_each_document_is_heard() -> None:
    texts = [
        "The flood took the bridge. The flood took the road. The flood took the mill. "
        "The flood came to the town at night. The river flood was high.",
        "Apples are sold on the market. Pears are sold there as well.",
        "The orchestra plays Haydn in the town hall. Tickets cost ten pounds each.",
    ]
    outcome = await extract(texts, length="medium")
    assert {s.sources[0].document for s in outcome.wire.sentences} == {0, 1, 2}
    found = await extract(texts, length="short")
    assert len({s.sources[0].document for s in found.wire.sentences}) == 2


TOWN = (
    "The river flood destroyed the old bridge of the town. The town lost its bridge to the flood. "
    "The flood of the river closed the town. The orchestra of the school plays on Friday. "
    "Engineers of the town plan a new bridge. The river bridge cost the town a year of tax."
)


async def test_focus() -> None:
    plain = await extract(TOWN, length="short")
    assert "orchestra" not in plain.wire.summary
    asked = await extract(TOWN, length="short", focus="When does the orchestra play?")
    assert "orchestra" in asked.wire.summary
    assert asked.result.usage.prompt_tokens > plain.result.usage.prompt_tokens


async def test_focus_in_chinese() -> None:
    text = (
        "河水淹没了小镇的老桥。小镇的老桥被河水冲走了。河水让小镇停了电。"
        "学校的乐团星期五演出。工程师要重建小镇的老桥。小镇的人喜欢老桥。"
    )
    asked = await extract(text, length="short", focus="乐团什么时候演出？")
    assert "乐团" in asked.wire.summary


@pytest.mark.parametrize("opening", ["但是，", "因此，", "他", "这", "然而，", "她们", "该"])
async def test_a_chinese_sentence_that_hangs_comes_with_the_one_before(opening: str) -> None:
    text = (
        "市议会星期一讨论了河上的新桥。工程师介绍了新桥的计划和费用。"
        f"{opening}新桥的计划和费用要市议会花三百万元。没有人谈到午饭。天气很好。"
    )
    for length in LENGTHS:
        summary = (await extract(text, length=length)).wire.summary
        assert f"{opening}新桥" not in summary or "工程师介绍" in summary


async def test_a_focus_of_many_words_is_read_in_windows() -> None:
    outcome = await run_task(
        "summarize", fake_model(context=40), FakeRuntime(), text=TOWN, focus="bridge " * 200
    )
    assert "bridge" in outcome.wire.summary
