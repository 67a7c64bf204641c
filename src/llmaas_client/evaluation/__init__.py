"""How good the server's answers are on texts of yours, and whether they are fair.

    from llmaas_client import Client, evaluation

    report = evaluation.classify(Client(), evaluation.labelled("mine.csv"), labels=["a", "b"])
    print(report.accuracy)
    report.save("report")

Plain Python beside the client: figures with intervals and baselines, reports as HTML, Markdown and
JSON. Calls block; in asyncio, `await asyncio.to_thread(evaluation.classify, client, rows)`.
"""

from __future__ import annotations

from .asking import Interrupted, Progress, Refused
from .cases import Case
from .classification import Labelled, Prediction, classify
from .classified import ClassifyReport
from .counterfactuals import GroupFigures, Swap
from .fair import FairnessReport, fairness
from .files import cases, labelled, referenced, sample
from .intervals import Interval
from .subgroups import Subgroups, TermFigures
from .summarization import Referenced, summarize
from .summarized import SummarizeReport
from .swap_lists import SwapGroup, chosen, pairs, read_groups, shipped
from .terms import TERMS

__all__ = [
    "TERMS",
    "Case",
    "ClassifyReport",
    "FairnessReport",
    "GroupFigures",
    "Interrupted",
    "Interval",
    "Labelled",
    "Prediction",
    "Progress",
    "Referenced",
    "Refused",
    "Subgroups",
    "SummarizeReport",
    "Swap",
    "SwapGroup",
    "TermFigures",
    "cases",
    "chosen",
    "classify",
    "fairness",
    "labelled",
    "pairs",
    "read_groups",
    "referenced",
    "sample",
    "shipped",
    "summarize",
]
