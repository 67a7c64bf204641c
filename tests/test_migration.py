"""What the page about pipelines says of transformers is so."""

from __future__ import annotations

import re

import pytest
import transformers
from transformers.pipelines import check_task

from support.pages import DOCS
from support.sources import ROOT

TEXT = (DOCS / "how-to" / "migrate.md").read_text("utf-8")
ROWS = re.findall(r"^\| (`.+?) \| (removed|unknown|still there) \|", TEXT, re.MULTILINE)
TASKS = [(task, said) for tasks, said in ROWS for task in re.findall(r"`([\w-]+)`", tasks)]


def test_the_table_is_read() -> None:
    assert ("summarization", "removed") in TASKS
    assert ("zero-shot-classification", "still there") in TASKS


@pytest.mark.parametrize(("task", "said"), TASKS)
def test_what_became_of_a_task(task: str, said: str) -> None:
    if said == "still there":
        assert check_task(task)
        return
    with pytest.raises(KeyError, match="has been removed" if said == "removed" else "Unknown task"):
        check_task(task)


def test_classes_that_are_gone() -> None:
    gone = re.findall(r"`(\w+Pipeline)`", TEXT)
    assert len(gone) >= 4
    assert not [name for name in gone if hasattr(transformers, name)]


def test_every_address_of_the_wire_is_on_the_page() -> None:
    reference = (ROOT / "docs" / "reference" / "api.md").read_text("utf-8")
    addresses = set(re.findall(r"^## POST (/hf/\S+)", reference, re.MULTILINE))
    tasks = {address.removeprefix("/hf/").split("/")[0] for address in addresses}
    assert len(tasks) == 5
    assert all(f"`{task}`" in TEXT for task in tasks)
