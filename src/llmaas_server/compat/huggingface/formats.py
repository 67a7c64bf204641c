"""Every address of this wire."""

from __future__ import annotations

from llmaas_server.api.translated import Format
from llmaas_server.compat.predict import Predict

from .chat import HuggingFaceChat
from .feature_extraction import FeatureExtraction
from .summarization import Summarization
from .text_classification import TextClassification
from .zero_shot_classification import ZeroShotClassification


def formats(predict: Predict) -> list[Format]:
    """What says which sentiment a text is of says so here, too."""
    return [
        TextClassification(predict.models, predict.model, predict.negative, predict.positive),
        ZeroShotClassification(),
        Summarization(),
        FeatureExtraction(),
        HuggingFaceChat(),
        HuggingFaceChat("/hf/chat/v1/chat/completions"),
    ]
