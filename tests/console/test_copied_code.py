"""What is offered to be copied runs as it is: each task, by each client."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from support.browsing import Visitor, expect
from support.client_environments import CannotBuildError, python_of
from support.serving import hermetic

TEXT = 'It\'s "late" & cold: é 漢字 \\ $HOME `date` 😀\nnew line'
PATIENCE = 180.0
"""Seconds to build the environment of the OpenAI client, where it is not there yet."""
KINDS = ["Python", "curl", "OpenAI client"]


def copied(visitor: Visitor, kind: str) -> str:
    page = visitor.page
    page.get_by_text("Copy as code").click()
    page.get_by_role("button", name=kind, exact=True).click()
    code = page.locator(".snippets pre code")
    expect(code).to_contain_text(visitor.server.url)
    return code.inner_text()


@cache
def openai() -> Path:
    try:
        return python_of("openai", PATIENCE)
    except CannotBuildError as error:
        pytest.skip(str(error))


def printed(visitor: Visitor, kind: str, code: str, home: Path) -> str:
    """What it prints in an environment that has the server's key and nothing else of ours."""
    if kind == "curl" and shutil.which("curl") is None:
        pytest.skip("there is no curl")
    file = home / "copied"
    file.write_text(code, encoding="utf-8")
    program = {
        "Python": lambda: [sys.executable, "-W", "error"],
        "curl": lambda: ["sh"],
        "OpenAI client": lambda: [str(openai())],
    }[kind]()
    done = subprocess.run(
        [*program, str(file)],
        env=hermetic()
        | {"LLMAAS_API_KEY": visitor.server.key, "LLMAAS_HOME": str(home), "PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_classify(owner: Visitor, kind: str, tmp_path: Path) -> None:
    page = owner.go("/classify")
    page.get_by_label("Text").fill(TEXT)
    page.get_by_label("Explain").check()
    page.get_by_label("Several labels may hold").check()
    page.get_by_label("Abstain below").fill("0.25")
    assert "billing" in printed(owner, kind, copied(owner, kind), tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_summarize(owner: Visitor, kind: str, tmp_path: Path) -> None:
    page = owner.go("/summarize")
    page.get_by_label("Text", exact=True).fill(TEXT)
    page.get_by_label("Focus").fill("the 'weather'")
    page.get_by_label("Words at most").fill("40")
    assert "漢字" in printed(owner, kind, copied(owner, kind), tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_chat(owner: Visitor, kind: str, tmp_path: Path) -> None:
    page = owner.go("/chat")
    page.get_by_label("System").fill("be 'brief'")
    page.get_by_label("Temperature").fill("0.5")
    page.get_by_label("Top k").fill("40")
    page.get_by_label("Min p").fill("0.05")
    page.get_by_label("Repetition penalty").fill("1.1")
    page.get_by_label("Seed").fill("7")
    page.get_by_label("Message").fill(TEXT)
    code = copied(owner, kind)
    for name in ("temperature", "top_k", "min_p", "repetition_penalty", "seed"):
        assert name in code
    assert "漢字" in printed(owner, kind, code, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_by_a_schema(owner: Visitor, kind: str, tmp_path: Path) -> None:
    page = owner.go("/chat")
    page.get_by_text("Structured output").click()
    page.get_by_label("JSON schema").fill(
        '{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],'
        ' "additionalProperties": false}'
    )
    page.get_by_label("Message").fill(TEXT)
    assert "city" in printed(owner, kind, copied(owner, kind), tmp_path)


def test_a_text_too_long_for_an_argument_is_copied_whole(owner: Visitor, tmp_path: Path) -> None:
    page = owner.go("/summarize")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_label("Text", exact=True).fill("It rains in the valley. " * 10_000)
    assert "more characters: Copy takes all of it" in copied(owner, "curl")
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.locator(".toast")).to_have_text("Copied.")
    whole: str = page.evaluate("navigator.clipboard.readText()")
    assert len(whole) > 240_000
    assert "coverage" in printed(owner, "curl", whole, tmp_path)
