"""Summarize a file and show where each sentence comes from: summarize_file.py FILE."""

import sys
from pathlib import Path

from llmaas_client import Client


def main(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    with Client() as client:
        answer = client.summarize(text, length="short")
    for sentence in answer.sentences:
        lines = sorted({text.count("\n", 0, span.start) + 1 for span in sentence.sources})
        print(f"- {sentence.text}  (line {', '.join(map(str, lines))})")
    print(f"[{answer.coverage:.0%} of the text was read, in {answer.parts} part(s)]")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
