"""One version of a classifier: what cross-validation found, and how far to trust its scores."""

from __future__ import annotations

from llmaas_server.ui.page import Content, Page
from llmaas_server.ui.plot import reliability, selective
from llmaas_server.ui.visit import Visit


async def load(visit: Visit) -> Content:
    """Raises Problem `not_found`."""
    reference = visit.path["reference"]
    one = await visit.services.classifiers.get(visit.session.row.account_id, reference)
    return {
        "one": one,
        "evaluation": one.evaluation,
        "reference": f"{one.name}@{one.version}",
        "reliability": reliability(one.evaluation.reliability),
        "selective": selective(one.evaluation.operating),
    }


PAGE = Page("/classifiers/{reference}", "Classifier", "pages/classifier.html", load)
