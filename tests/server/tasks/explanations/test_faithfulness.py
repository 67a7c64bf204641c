"""Words that an explanation names matter more than words drawn at random; flips really flip."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from benchmarks.faithfulness import Faithfulness

from llmaas_client.wire.classifiers import ClassifierCreate
from llmaas_server.runtime.engine import Engine
from llmaas_server.seam.values import ModelRef, Result
from llmaas_server.tasks import train_classifier
from llmaas_server.tasks.base import Caller
from support import tiny
from support.explaining import faithfulness
from support.tasks import Outcome, run_task

REVIEWS = (
    "A warm, funny and beautifully acted film that I would gladly watch again tomorrow.",
    "The plot makes no sense and the dialogue is so dull that I nearly fell asleep.",
    "Despite a slow first half, the ending is moving and the music is a delight.",
    "What a waste of two hours, with wooden actors and jokes that nobody laughed at.",
    "The director handles a difficult subject with grace, humour and real intelligence.",
    "Loud, stupid and far too long, this sequel ruins everything that was good before.",
    "I cried, I laughed, and I left the cinema with a smile on my face.",
    "An awful script is read aloud by bored stars in front of cheap scenery.",
    "Every scene is a joy, and the young actress in the lead is simply brilliant.",
    "It is hard to say what is worse, the terrible acting or the ugly effects.",
)
LABELS = {
    "negative": "negative feeling, it was terrible",
    "positive": "positive feeling, it was great",
}
EXAMPLES = {
    "negative": [
        "a terrible film, I hated it", "boring and badly acted", "an awful waste of time",
        "the worst script of the year", "dull, ugly and stupid", "I was disappointed and angry",
    ],
    "positive": [
        "a wonderful film, I loved it", "funny and well acted", "a great way to spend an evening",
        "the best script of the year", "clever, warm and beautiful", "I was delighted and moved",
    ],
}  # fmt: skip


async def trained(engine: Engine, ref: ModelRef) -> dict[str, Any]:
    """A request's fields for a classifier made from a few examples."""
    model = await engine.load(ref)
    request = ClassifierCreate.model_validate({"name": "reviews", "examples": EXAMPLES})
    prompt = train_classifier.TASK.prompt(request, model, None)
    events = [item async for item in train_classifier.TASK.run(prompt, model, engine, Caller())]
    assert isinstance(events[-1], Result)
    return {"classifier": "reviews", "head": events[-1].body["head"]}


async def answer(engine: Engine, ref: ModelRef, **request: Any) -> Outcome:
    return await run_task("classify", await engine.load(ref), engine, **request)


def better_than_random(found: dict[str, Faithfulness], *names: str, margin: float = 0.01) -> None:
    random = found["random"]
    for name in names:
        assert found[name].comprehensiveness > random.comprehensiveness + margin, found
        assert found[name].sufficiency < random.sufficiency - margin, found


# Of random weights, a few words alone say nothing about the whole: no sufficiency there.


@pytest.mark.parametrize("seed", [0, 1])
async def test_a_tiny_head(engine: Engine, tmp_path: Path, seed: int) -> None:
    model = await engine.load(tiny.classifier(tmp_path, labels=("a", "b"), seed=seed))
    found = await faithfulness(model, engine, REVIEWS, methods=["occlusion"])
    assert found["occlusion"].comprehensiveness > 1.5 * found["random"].comprehensiveness > 0


async def test_a_tiny_chat_model(engine: Engine, tmp_path: Path) -> None:
    model = await engine.load(tiny.llama(tmp_path))
    texts = [text[:40].rpartition(" ")[0] for text in REVIEWS]
    found = await faithfulness(model, engine, texts, methods=["occlusion"], labels=["good", "bad"])
    assert found["occlusion"].comprehensiveness > 1.5 * found["random"].comprehensiveness > 0


@pytest.mark.real_models
async def test_labels_alone(engine: Engine, embedding_ref: ModelRef) -> None:
    model = await engine.load(embedding_ref)
    found = await faithfulness(model, engine, REVIEWS[:4], labels=LABELS)
    better_than_random(found, "occlusion", "gradients")


@pytest.mark.real_models
async def test_a_classifier_from_examples(engine: Engine, embedding_ref: ModelRef) -> None:
    model = await engine.load(embedding_ref)
    request = await trained(engine, embedding_ref)
    found = await faithfulness(model, engine, REVIEWS[:4], **request)
    better_than_random(found, "occlusion", "gradients")


@pytest.mark.real_models
async def test_movie_reviews(engine: Engine, embedding_ref: ModelRef) -> None:
    data = os.environ.get("LLMAAS_EVAL_DATA")
    if not data:
        pytest.skip("LLMAAS_EVAL_DATA names no folder with evaluation data")
    with gzip.open(Path(data) / "mr" / "mr.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines][::900]
    model = await engine.load(embedding_ref)
    found = await faithfulness(model, engine, texts, labels=LABELS)
    better_than_random(found, "occlusion", "gradients")


@pytest.mark.real_models
@pytest.mark.parametrize("by_examples", [False, True])
async def test_flips_are_true(engine: Engine, embedding_ref: ModelRef, by_examples: bool) -> None:
    request = await trained(engine, embedding_ref) if by_examples else {"labels": LABELS}
    outcome = await answer(
        engine, embedding_ref, text=list(REVIEWS), explain="occlusion", **request
    )
    flips = [result.explanation.flip for result in outcome.wire.results]
    found = [
        (result, flip) for result, flip in zip(outcome.wire.results, flips, strict=True) if flip
    ]
    assert len(found) >= 5
    for result, flip in found:
        again = (await answer(engine, embedding_ref, text=flip.text, **request)).wire
        assert again.label == flip.label != result.label
        assert again.score == pytest.approx(flip.score, abs=1e-4)


@pytest.mark.real_models
async def test_gaps_are_small(engine: Engine, embedding_ref: ModelRef) -> None:
    explain = {"methods": ["integrated_gradients"], "flip": False}
    outcome = await answer(
        engine, embedding_ref, text=list(REVIEWS[:3]), labels=LABELS, explain=explain
    )
    for result in outcome.wire.results:
        gradients = result.explanation.gradients
        assert abs(gradients.completeness_gap) < 0.02
        total = sum(word.score for word in gradients.words)
        assert total == pytest.approx(gradients.value - gradients.baseline, abs=0.02)
