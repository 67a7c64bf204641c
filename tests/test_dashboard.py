"""The dashboard, and the table of metrics: both know what the server tells, and all of it."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from llmaas_server.gateway.metrics import Metrics
from llmaas_server.seam.values import BackendStatus, ModelStatus

ROOT = Path(__file__).parents[1]
BOARD: dict[str, Any] = json.loads((ROOT / "docs/deploy/grafana.json").read_text("utf-8"))
PANELS: list[dict[str, Any]] = BOARD["panels"]
DRAWN = [panel for panel in PANELS if panel["type"] != "row"]
EXPRESSIONS = [target["expr"] for panel in DRAWN for target in panel["targets"]]
QUERIES = [one["query"]["query"] for one in BOARD["templating"]["list"] if one["type"] == "query"]
NAME = re.compile(r"\bllmaas_\w+")


def told() -> dict[str, str]:
    """Metric -> its type."""
    metrics = Metrics()
    model = ModelStatus("tiny", "resident", 1.0, 1)
    metrics.watch(lambda: BackendStatus(ready=True, models=[model], running=0), lambda: 0, 1)
    families = text_string_to_metric_families(metrics.render().decode())
    found = {one.name: one.type for one in families}
    return {name + "_total" * (kind == "counter"): kind for name, kind in found.items()}


def used(text: str) -> set[str]:
    return {name.removesuffix("_bucket") for name in NAME.findall(text)}


@pytest.mark.parametrize("expression", [*EXPRESSIONS, *QUERIES])
def test_every_name_is_a_metric(expression: str) -> None:
    names = used(expression)
    assert names
    assert names <= told().keys()
    assert expression.count("(") == expression.count(")")
    assert expression.count("{") == expression.count("}")


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_functions_fit_the_types(expression: str) -> None:
    kinds = told()
    for name in NAME.findall(expression):
        grows = kinds[name.removesuffix("_bucket")] != "gauge"
        assert grows == bool(re.search(rf"(rate|increase)\({name}\{{", expression)), name
        assert name.endswith("_bucket") == ("histogram_quantile" in expression)


def test_every_metric_is_drawn_and_described() -> None:
    drawn = set().union(*map(used, EXPRESSIONS))
    assert told().keys() == drawn
    page = (ROOT / "docs/how-to/operate.md").read_text("utf-8")
    table = "\n".join(line for line in page.splitlines() if line.startswith("| `llmaas_"))
    assert told().keys() == used(table)


def test_the_schema() -> None:
    assert BOARD["schemaVersion"] >= 39
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    variables = {one["name"]: one for one in BOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    asked = set(re.findall(r"\$(?!__)\{?(\w+)", json.dumps(BOARD)))
    assert asked == variables.keys()
    for panel in DRAWN:
        assert panel["type"] in {"stat", "gauge", "timeseries"}
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_panels_do_not_lie_on_each_other() -> None:
    for one, two in combinations([panel["gridPos"] for panel in PANELS], 2):
        apart_x = one["x"] + one["w"] <= two["x"] or two["x"] + two["w"] <= one["x"]
        apart_y = one["y"] + one["h"] <= two["y"] or two["y"] + two["h"] <= one["y"]
        assert apart_x or apart_y
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in PANELS)
