"""Pages of reports: whole, harmless, and readable without this program."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from llmaas_client import ConfigurationError, evaluation
from llmaas_client.evaluation.report.axis import Axis
from llmaas_client.evaluation.report.base import Report
from llmaas_client.evaluation.report.dots import Dots
from llmaas_client.evaluation.report.svg import Dot, number
from llmaas_client.evaluation.report.terminal import show
from support.judging import judging

EVIL = "<script>alert('x')</script> | `b` \x1b[31m"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def report() -> evaluation.ClassifyReport:
    rows = [(f"{number} {EVIL}", EVIL if number % 3 else "dog") for number in range(40)]
    with judging(lambda text: {EVIL: 0.7, "dog": 0.3}) as (client, _):
        return evaluation.classify(client, rows)


@pytest.fixture(scope="module")
def fairness() -> evaluation.FairnessReport:
    rows = [(f"he {EVIL} {number}", EVIL if number % 2 else "dog") for number in range(40)]

    def judge(text: str) -> dict[str, float]:
        score = 0.4 + 0.2 * text.startswith("she")
        return {EVIL: score, "dog": 1 - score}

    with judging(judge) as (client, _):
        groups = evaluation.chosen(["gender"])
        return evaluation.fairness(client, rows, positive=EVIL, groups=groups, terms=["he", "dog"])


@pytest.fixture(params=["report", "fairness"])
def page(request: pytest.FixtureRequest) -> Report:
    found: Report = request.getfixturevalue(request.param)
    return found


class Tags(HTMLParser):
    """What stands in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_runs_nothing_and_loads_nothing(page: Report) -> None:
    tags = Tags()
    tags.feed(page.html())
    assert not {"script", "img", "iframe", "link", "object", "a"} & set(tags.names)
    names = {name for name, _ in tags.attributes}
    assert not {name for name in names if name.startswith("on")} | names & {"src", "href"}
    assert "alert('x')" in tags.text  # it is shown, and is no tag
    assert "Content-Security-Policy" in page.html()
    assert "url(" not in page.html()


def test_a_page_is_readable_in_the_dark_and_has_its_plots(page: Report) -> None:
    html = page.html()
    plots = len(page.document().drawings)
    assert plots >= 3
    assert html.count("<svg") == html.count("<figcaption>") == plots
    assert html.count("prefers-color-scheme: dark") == plots + 1
    assert "color-scheme: light dark" in html


def test_plots_are_whole_images_of_their_own(page: Report) -> None:
    for drawing in page.document().drawings:
        image = ElementTree.fromstring(drawing.plot.svg(drawing.caption))
        assert image.tag == f"{SVG}svg"
        assert image.find(f"{SVG}title") is not None
        width, height = (float(image.attrib[name]) for name in ("width", "height"))
        circles = list(image.iter(f"{SVG}circle"))
        assert circles
        for circle in circles:
            assert 0 <= float(circle.attrib["cx"]) <= width
            assert 0 <= float(circle.attrib["cy"]) <= height
        for line in image.iter(f"{SVG}line"):
            assert 0 <= float(line.attrib["x1"]) <= width
            assert 0 <= float(line.attrib["y2"]) <= height


def test_markdown_is_one_table_row_a_line_and_escaped(page: Report) -> None:
    text = page.markdown()
    assert "<script>" not in text.replace("\\<script\\>", "")
    tables = [block for block in text.split("\n\n") if block.startswith("|")]
    assert tables
    for table in tables:
        columns = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(columns) == 1


def test_reports_are_kept(page: Report, tmp_path: Path) -> None:
    folder = page.save(tmp_path / "a" / "b")
    plots = {f"{drawing.name}.svg" for drawing in page.document().drawings}
    assert {path.name for path in folder.iterdir()} == plots | {
        "report.html",
        "report.md",
        "report.json",
    }
    for name in re.findall(r"\]\((.+?)\)", (folder / "report.md").read_text("utf-8")):
        assert (folder / name).exists()
    assert json.loads((folder / "report.json").read_text("utf-8")) == json.loads(page.json())


def test_reports_that_cannot_be_kept(page: Report, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot write"):
        page.save(tmp_path / "file")


def test_json_has_the_figures(report: evaluation.ClassifyReport) -> None:
    found = json.loads(report.json())
    assert found["accuracy"]["value"] == report.accuracy.value
    assert found["classes"][0]["label"] in report.labels
    assert found["bins"][0]["rows"] == 3


def test_notebooks_show_the_page(report: evaluation.ClassifyReport) -> None:
    assert report._repr_html_().startswith("<h1>Evaluation of classify</h1>")


def test_terminals_are_not_steered(page: Report) -> None:
    console = Console(width=200, file=io.StringIO())
    show(page.document(), console)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "\x1b" not in text
    assert "alert('x')" in text


def test_what_is_not_known_is_said(fairness: evaluation.FairnessReport) -> None:
    text = fairness.markdown()
    assert "What this cannot say" in text
    assert "No flag is no proof" in text
    assert "he \\*" in text  # few rows


def test_many_labels_make_no_plot_of_them() -> None:
    rows = [(f"label {number % 50}", f"label {number % 50}") for number in range(100)]

    def judge(text: str) -> dict[str, float]:
        return {f"label {n}": 0.9 if text == f"label {n}" else 0.1 / 49 for n in range(50)}

    with judging(judge) as (client, _):
        found = evaluation.classify(client, rows)
    assert found.accuracy.value == 1.0
    assert "labels" not in {drawing.name for drawing in found.document().drawings}


@pytest.mark.parametrize(
    ("values", "within", "low", "high"),
    [
        ([0.03, 0.26], (0.0, 1.0), 0.0, 0.3),
        ([0.0, 1.0], (0.0, 1.0), 0.0, 1.0),
        ([-0.061, 0.0], (-1.0, 1.0), -0.08, 0.0),
        ([0.0, 0.0], (0.0, 1.0), 0.0, 0.0002),
        ([1.0, 1.0], (0.0, 1.0), 0.9998, 1.0),
        ([0.52, 0.998], (0.0, 1.0), 0.5, 1.0),
    ],
)
def test_axes_have_even_ends(
    values: list[float], within: tuple[float, float], low: float, high: float
) -> None:
    axis = Axis.around(values, 0, 100, within)
    assert (axis.low, axis.high) == pytest.approx((low, high))
    assert axis.ticks[0] == pytest.approx(axis.low)
    assert 2 <= len(axis.ticks) <= 8
    assert (axis.place(axis.low), axis.place(axis.high)) == (0, 100)
    assert axis.place(99) == 100


def test_long_names_are_told_in_full() -> None:
    name = "a name that is far too long for the place that there is"
    svg = Dots([name], [("x", [Dot(0.5, 0.4, 0.6)])], "x", (0.0, 1.0)).svg("t")
    assert f"<title>{name}</title>" in svg
    assert "a name that is far too long…" not in svg.replace("a name that is far too long", "", 1)


@pytest.mark.parametrize(
    ("value", "percent", "more", "text"),
    [
        (0.25, True, 0, "25 %"),
        (0.251, True, 1, "25.1 %"),
        (-0.001, False, 0, "0.00"),
        (-0.012, False, 1, "-0.012"),
        (0.0, True, 0, "0 %"),
    ],
)
def test_numbers(value: float, percent: bool, more: int, text: str) -> None:
    assert number(value, percent, more) == text
