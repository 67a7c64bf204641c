"""Latency against throughput, a point a load. Needs matplotlib: the extra `bench`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from llmaas_client.errors import ConfigurationError

from .summary import Spread, Summary

FORMATS = (".png", ".svg")


def check(path: Path) -> None:
    """Raises ConfigurationError where the plot could not be drawn: asked before the run."""
    if path.suffix.lower() not in FORMATS:
        raise ConfigurationError(
            f"{path.name} is no name for a plot", hint="It ends with .png or .svg."
        )
    if not path.absolute().parent.is_dir():
        raise ConfigurationError(f"there is no folder {path.absolute().parent} for the plot")
    _figure()


def draw(path: Path, title: str, summaries: Sequence[Summary]) -> None:
    """Time to the first token and to the whole answer, against what the server puts out."""
    points = [summary for summary in summaries if summary.latency_ms]
    streams = any(summary.first_token_ms for summary in points)
    figure = _figure()
    places = figure.subplots(1, 2 if streams else 1, squeeze=False)[0]
    if streams:
        _panel(places[0], "first token", [(p, p.first_token_ms) for p in points], streams)
    _panel(places[-1], "whole answer", [(p, p.latency_ms) for p in points], streams)
    figure.suptitle(title, fontsize=9, parse_math=False)
    figure.savefig(path)


def _figure() -> Any:
    try:
        module: Any = import_module("matplotlib.figure")
    except ModuleNotFoundError:
        raise ConfigurationError(
            "a plot needs matplotlib", hint="pip install 'llmaas[bench]'"
        ) from None
    return module.Figure(figsize=(10, 4.5), layout="constrained", dpi=120)


def _panel(
    axes: Any, name: str, points: Sequence[tuple[Summary, Spread | None]], streams: bool
) -> None:
    drawn = [(summary, spread) for summary, spread in points if spread is not None]
    across = [_throughput(summary, streams) for summary, _ in drawn]
    for label, style in (("p50", "o-"), ("p95", "s--")):
        axes.plot(across, [getattr(spread, label) for _, spread in drawn], style, label=label)
    for (summary, spread), x in zip(drawn, across, strict=True):
        axes.annotate(summary.load, (x, spread.p50), textcoords="offset points", xytext=(4, 4))
    axes.set_xlabel("output tokens/s" if streams else "texts/s")
    axes.set_ylabel(f"{name}, ms")
    axes.margins(x=0.15)  # room for the words beside the last point
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()


def _throughput(summary: Summary, streams: bool) -> float:
    return summary.output_tokens_per_s if streams else summary.texts_per_s
