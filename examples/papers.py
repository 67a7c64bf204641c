"""Summaries of papers: by a question, of several at once, and where each sentence comes from."""

import sys

from llmaas_client import Client, LLMaaSError, SummarizeResult

BEES = (
    "Honeybees find their way home over many kilometres. How they do so under a cloudy sky, when "
    "the sun cannot be seen, is less well known. We followed 84 bees with radar while the sky was "
    "covered on purpose by a large screen. Bees that had flown the route before came home in 91 % "
    "of the flights, and newcomers in 34 %. We conclude that bees remember landmarks and do not "
    "need the sun on routes that they know. Flights were recorded at a rate of one position every "
    "three seconds. The main limit of the study is that it was done at one site, with few trees. "
    "Bees in a forest may depend more on the sky. Future work should follow the same bees over a "
    "whole season."
)
LAMPS = (
    "Light in the evening delays sleep, and blue light is said to delay it most. We asked 120 "
    "people to read for an hour before bed by one of three lamps of equal brightness. After two "
    "weeks the groups changed lamps. Readers by the blue lamp fell asleep 19 minutes later than "
    "readers by the red one, as a wrist monitor measured. Those by the white lamp lay between. The "
    "effect was larger in people under thirty. Nobody knew which lamp the study was about, but the "
    "colour could not be hidden. All lamps were of the same make. We advise warm light for the "
    "hour before sleep."
)


def show(answer: SummarizeResult, papers: list[str]) -> None:
    """Each sentence with its source, and with a mark where the source does not support it."""
    for sentence in answer.sentences:
        mark = " " if sentence.supported is not False else "?"
        print(f" {mark} {sentence.text}")
        for source in sentence.sources:
            text = papers[source.document][source.start : source.end]
            print(f"     paper {source.document + 1}, {source.start}-{source.end}: {text[:60]}…")
    print(f"   [{answer.method}, {answer.words} words, {answer.coverage:.0%} was read]\n")


def main() -> None:
    with Client() as client:
        print("In two sentences:")
        show(client.summarize(BEES, length="short"), [BEES])
        question = "What are the limits of the study?"
        print(question)
        show(client.summarize(BEES, length="short", focus=question), [BEES])
        print("Both papers, in 60 words at most:")
        papers = [BEES, LAMPS]
        show(client.summarize(papers, length="medium", max_words=60), papers)
        print("In other words, by the small model (compare with the places):")
        written = client.summarize(LAMPS, method="abstractive", length="short", strict=True)
        show(written, [LAMPS])


if __name__ == "__main__":
    try:
        main()
    except (LLMaaSError, KeyboardInterrupt) as error:
        sys.exit(f"error: {str(error) or 'interrupted'}")
