"""Sort news by topic and mood: by labels alone, then by examples; the unsure ones are set aside."""

import sys

from llmaas_client import Client, LLMaaSError, UnsupportedParameter

NEWS = [
    "The striker scored twice in the last ten minutes and sent the champions home.",
    "Parliament passed the budget after a night of debate.",
    "The central bank raised interest rates for the third time this year.",
    "A new telescope has seen water vapour around a distant planet.",
    "Stir the lentils in slowly and add a pinch of salt.",
]
TOPICS = {
    "sport": "matches, players, championships",
    "politics": "governments, parliaments, elections",
    "business": "companies, markets, banks, prices",
    "science": "research, space, medicine, nature",
}
EXAMPLES = {
    "sport": [
        "The goalkeeper saved two penalties in the final.",
        "She won the marathon in record time.",
        "The coach left after a fifth defeat in a row.",
        "The home team lost its lead in extra time.",
        "A knee injury keeps the captain out for the season.",
        "The sprinter was banned for two years for doping.",
        "The league begins again in August with twenty clubs.",
        "He beat the champion in three sets.",
    ],
    "politics": [
        "The president named a new minister of finance.",
        "Voters go to the polls on Sunday.",
        "The opposition called the law unconstitutional.",
        "The mayor resigned over the housing affair.",
        "Both countries signed a treaty on the border.",
        "Senators rejected the bill by two votes.",
        "The prime minister survived a vote of confidence.",
        "The party chose a candidate for the election.",
    ],
    "business": [
        "The carmaker cuts four thousand jobs.",
        "Shares fell after the profit warning.",
        "Oil prices rose to their highest in a year.",
        "The supermarket chain buys its rival.",
        "Inflation slowed to two per cent in May.",
        "The airline reported a loss for the quarter.",
        "The start-up raised forty million from investors.",
        "Exports grew faster than analysts had expected.",
    ],
    "science": [
        "Researchers found a gene that protects against malaria.",
        "The probe landed on the far side of the moon.",
        "A vaccine against the virus passed its last trial.",
        "Glaciers melt faster than models had foretold.",
        "Physicists measured the mass of the particle again.",
        "Fossils of a feathered dinosaur were dug up.",
        "Bees find their way by the light of the sky, a study says.",
        "Astronomers saw two black holes merge.",
    ],
}
REVIEWS = ["What a joy to watch!", "Two dull hours that I will not get back."]


def main() -> None:
    with Client() as client:
        print("By labels alone, above 0.5:")
        for text, one in zip(
            NEWS, client.classify(NEWS, labels=TOPICS, threshold=0.5).results, strict=True
        ):
            print(f"  {one.label or 'unsure':<9} {one.score:.2f}  {text}")

        made = client.classifiers.create("news-example", EXAMPLES, scope_quantile=0.05).classifier
        right = made.evaluation.accuracy
        print(f"\nBy 32 examples, {right.value:.0%} right ({right.low:.0%} to {right.high:.0%}),")
        print(f"calibrated by {made.card.calibration}, at most 15 % of the answers wrong:")
        try:
            by_examples = client.classify(NEWS, classifier="news-example", max_error=0.15)
        except UnsupportedParameter as refusal:  # the examples are too few to promise that
            print(f"  {refusal}")
            by_examples = client.classify(NEWS, classifier="news-example")
        for text, one in zip(NEWS, by_examples.results, strict=True):
            print(f"  {one.label or 'unsure':<9} {one.score:.2f}  {text}")
        client.classifiers.delete("news-example")

        print("\nMood:")
        for text, one in zip(
            REVIEWS, client.classify(REVIEWS, labels=["positive", "negative"]).results, strict=True
        ):
            print(f"  {one.label:<9} {one.score:.2f}  {text}")


if __name__ == "__main__":
    try:
        main()
    except (LLMaaSError, KeyboardInterrupt) as error:
        sys.exit(f"error: {str(error) or 'interrupted'}")
