"""The dashboard, and the table of metrics: both know what the server tells, and all of it."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from scripts.reference.metrics import told

from llmaas_client.wire.errors import ERRORS

ROOT = Path(__file__).parents[1]
BOARD: dict[str, Any] = json.loads((ROOT / "docs/deploy/grafana.json").read_text("utf-8"))
PANELS: list[dict[str, Any]] = BOARD["panels"]
DRAWN = [panel for panel in PANELS if panel["type"] != "row"]
EXPRESSIONS = [target["expr"] for panel in DRAWN for target in panel["targets"]]
QUERIES = [one["query"]["query"] for one in BOARD["templating"]["list"] if one["type"] == "query"]
NAME = re.compile(r"\bllmaas_\w+")
SELECTOR = re.compile(r"\b(llmaas_\w+){([^}]*)}")
MATCHER = re.compile(r"(\w+)(?:=~|!=|!~|=)\"")
GROUPING = re.compile(r"\b(?:by|on) \(([^)]*)\)")
TARGET = {"job", "instance"}
"""Labels that Prometheus adds to whatever it scrapes."""
RULES = [
    rule
    for group in yaml.safe_load((ROOT / "docs/deploy/alerts.yaml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]


def kinds() -> dict[str, str]:
    """Metric -> its type."""
    return {name: one.type for name, one in told().items()}


def used(text: str) -> set[str]:
    return {name.removesuffix("_bucket") for name in NAME.findall(text)}


def labels(name: str) -> set[str]:
    """Of a metric, as they are scraped."""
    samples = told()[name.removesuffix("_bucket")].samples
    return TARGET | {label for sample in samples for label in sample.labels}


@pytest.mark.parametrize("expression", [*EXPRESSIONS, *(rule["expr"] for rule in RULES)])
def test_every_label_is_one_of_its_metric(expression: str) -> None:
    for name, matchers in SELECTOR.findall(expression):
        assert set(MATCHER.findall(matchers)) <= labels(name)
    had = set().union(*map(labels, NAME.findall(expression)))
    for group in GROUPING.findall(expression):
        assert set(group.split(", ")) <= had


@pytest.mark.parametrize("expression", [*EXPRESSIONS, *QUERIES])
def test_every_name_is_a_metric(expression: str) -> None:
    names = used(expression)
    assert names
    assert names <= kinds().keys()
    assert expression.count("(") == expression.count(")")
    assert expression.count("{") == expression.count("}")


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_functions_fit_the_types(expression: str) -> None:
    types = kinds()
    for name in NAME.findall(expression):
        grows = types[name.removesuffix("_bucket")] not in ("gauge", "info")
        assert grows == bool(re.search(rf"(rate|increase)\({name}\{{", expression)), name
        assert name.endswith("_bucket") == ("histogram_quantile" in expression)


def test_every_metric_is_drawn_and_those_that_are_named_exist() -> None:
    drawn = set().union(*map(used, EXPRESSIONS))
    assert kinds().keys() == drawn
    page = (ROOT / "docs/how-to/operate.md").read_text("utf-8")
    assert used(page) - {"llmaas_client"} <= kinds().keys()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_alerts(rule: dict[str, Any]) -> None:
    expression = rule["expr"]
    types = kinds()
    for name in NAME.findall(expression):
        grows = types[name.removesuffix("_bucket")] not in ("gauge", "info")
        assert grows == bool(re.search(rf"(rate|increase)\({name}[{{\[]", expression)), name
    assert expression.count("(") == expression.count(")")
    for outcome in re.findall(r'outcome=~"([^"]+)"', expression):
        assert set(outcome.split("|")) <= ERRORS.keys()
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert rule["annotations"].keys() == {"summary", "description"}
    kept = {label for group in GROUPING.findall(expression) for label in group.split(", ")}
    assert set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"]))) <= kept
    mentioned = used(rule["annotations"]["description"])
    assert mentioned <= types.keys()


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
