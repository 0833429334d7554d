"""How well mood and warnings find the conversations of annoyed customers in STAR.

    python tests/benchmarks/handover_auc.py DATA/star --split dev

STAR's customers played a part and were asked afterwards; `customer_annoyed` is what their partner noted. Nothing is
trained on STAR. The score of a conversation is how bad its mood is as a whole (`bot.mood.MoodTrend.whole`), one more
where words of harm, law, press or the wish for a person were said. The interval is a bootstrap over conversations.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from bot.early_warning import warnings_after
from bot.mood import MoodTrend
from conversations.model import Conversation
from conversations.readers import read_log
from index.candidates import read_dialogues
from index.embedder import Embedder
from training.mood import Mood, MoodReader

ROUNDS = 2_000
WORDS = {"person", "harm", "law", "press"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("star", type=Path, help="the data set's directory")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--in-dialogue", action="store_true", help="read each turn as a chat does; takes longer")
    parser.add_argument("--show", action="store_true", help="print every turn whose words raise a warning")
    options = parser.parse_args()
    found = [item for item in read_log(options.star / f"{options.split}.jsonl.gz") if isinstance(item, Conversation)]
    found = [one for one in found if isinstance(one.meta.get("customer_annoyed"), bool)]
    said = [[turn.text for turn in one.turns if turn.role == "customer"] for one in found]
    reader = MoodReader.for_encoder(Embedder())
    assert reader is not None, "the base head fits the bundled encoder"
    moods = moods_in_chat(reader, found) if options.in_dialogue else moods_alone(reader, said)
    scores, kinds = [], []
    for texts, heard in zip(said, moods, strict=True):
        trend, raised = MoodTrend(), []
        for number, (text, mood) in enumerate(zip(texts, heard, strict=True), 1):
            trend = MoodTrend((*trend.scores, mood.score))
            raised += warnings_after(text, trend, number)
            if options.show and any(one.kind in WORDS and one.turn == number for one in raised):
                print(text)
        kinds.append({one.kind for one in raised})
        scores.append(-trend.whole + any(one in WORDS for one in kinds[-1]))
    annoyed = np.array([one.meta["customer_annoyed"] for one in found])
    report(np.array(scores), annoyed, kinds)


def moods_alone(reader: MoodReader, said: list[list[str]]) -> list[list[Mood]]:
    """Every message read by itself, equal ones once."""
    texts = sorted({text for one in said for text in one})
    moods = dict(zip(texts, reader.read(texts), strict=True))
    return [[moods[text] for text in one] for one in said]


def moods_in_chat(reader: MoodReader, conversations: list[Conversation]) -> list[list[Mood]]:
    """Every message read with the dialogue before it in sight."""
    below = reader.states_below
    return [
        reader.read_newest(
            read_dialogues(
                reader.embedder,
                [one.turns[: place + 1] for place, turn in enumerate(one.turns) if turn.role == "customer"],
                below,
            ),
            below,
        )
        for one in conversations
    ]


def area_under_curve(scores: np.ndarray, positive: np.ndarray) -> float:
    """How likely a positive has a higher score than a negative, ties counting half (Mann and Whitney 1947)."""
    hits = positive.sum()
    ranks = rankdata(scores)[positive].sum() - hits * (hits + 1) / 2
    return float(ranks / (hits * (~positive).sum()))


def report(scores: np.ndarray, annoyed: np.ndarray, kinds: list[set[str]]) -> None:
    print(f"{len(scores)} conversations, {annoyed.sum()} of them annoyed")
    generator = np.random.default_rng(13)
    drawn = []
    for _ in range(ROUNDS):
        rows = generator.integers(0, len(scores), len(scores))
        if 0 < annoyed[rows].sum() < len(rows):
            drawn.append(area_under_curve(scores[rows], annoyed[rows]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    print(f"AUC {area_under_curve(scores, annoyed):.3f}, 95 % interval {low:.3f} to {high:.3f}")
    for share in (0.05, 0.1, 0.2):
        limit = np.quantile(scores[~annoyed], 1 - share)
        print(f"flagging {share:.0%} of the others flags {(scores[annoyed] > limit).mean():.0%} of the annoyed")
    for share in (0.05, 0.1):
        listed = np.argsort(-scores, kind="stable")[: round(share * len(scores))]
        found = annoyed[listed].mean()
        print(f"of the {share:.0%} that sound worst {found:.1%} are annoyed, {annoyed.mean():.1%} of all")
    for name, count in Counter(kind for raised in kinds for kind in raised).most_common():
        rates = [np.mean([name in raised for raised in np.array(kinds)[group]]) for group in (annoyed, ~annoyed)]
        print(f"warning {name}: {count} conversations, {rates[0]:.1%} of the annoyed, {rates[1]:.1%} of the others")


if __name__ == "__main__":
    main()
