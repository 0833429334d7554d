"""How often `attendant compare` calls two models different that are equally good: about one time in twenty.

    make bench

Drawn from two real replays of the sample's logs, by bm25 and by cosine, as new runs that are stored and compared: in
each simulation as many conversations as there are, with replacement. Two kinds of models are equally good:

- one and the same on the same logs, by two seeds: both runs have bm25's ranks, blurred by chance, by a factor for the
  conversation and one for the turn;
- bm25 and cosine, whose differences are nothing like symmetric, on logs where neither is better in the mean:
  conversations are drawn with chances that rise or fall with what one ranker gains there (exponential tilting, Efron
  1981, "Nonparametric Standard Errors and Confidence Intervals").

Nothing is swapped, as the test itself does. The interval is shown beside the test.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import resources

import numpy as np
import pytest
from scipy.optimize import brentq

from bot.comparison import METRICS, compare
from bot.pipeline import Pipeline
from bot.replay import replay
from conversations.desk import Desk
from conversations.importing import import_logs
from index.builder import update_index
from index.embedder import Embedder

SIMULATIONS = 200
BLUR = 0.5
"""Of the logarithms of ranks."""
WATCHED = ("recall@1", "mrr")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    sample = resources.files("conversations.sample")
    desk = Desk.create(tmp_path_factory.mktemp("null"), "sample")
    with desk.writing(), desk.store() as store:
        import_logs(store, [sample.joinpath("past.jsonl")], redact=True, rejects_dir=desk.rejects_path)
        update_index(desk.index_path, store, Embedder())
    logs = [sample.joinpath(name) for name in ("past.jsonl", "replay.jsonl")]
    for name in ("bm25", "cosine"):
        with Pipeline.open(desk, name) as pipeline:
            replay(pipeline, logs, name=name)
    return desk


def by_conversation(replays, name):
    """The turns of each conversation of a run."""
    run = replays.finished_run(name).id
    positions = replays.numbers(run, ("position",))["position"].astype(int)
    found = {}
    for turn in replays.turns(run, positions.tolist()):
        found.setdefault(turn.conversation, []).append(turn)
    return list(found.values())


def gains(one, other):
    """What the second ranker gains in the reciprocal rank over all turns of each conversation."""
    ranks = [np.concatenate([[turn.rank for turn in turns] for turns in run]) for run in (one, other)]
    first, second = (METRICS["mrr"]({"rank": rank.astype(float)}) for rank in ranks)
    ends = np.cumsum([len(turns) for turns in one])[:-1]
    return np.array([part.sum() for part in np.split(second - first, ends)])


def tilted(gain):
    """Chances of conversations with which the mean gain is none."""

    def chances(slope):
        weight = np.exp(slope * (gain - gain.mean()))
        return weight / weight.sum()

    return chances(brentq(lambda slope: chances(slope) @ gain, -20.0, 20.0))


def blurred(turns, generator):
    """The turns of one conversation as another seed of the same ranker would rank them."""
    noise = BLUR * (generator.normal() + generator.normal(size=len(turns)))
    ranks = [
        int(max(1, round(turn.rank * np.exp(by)))) if turn.rank else 0 for turn, by in zip(turns, noise, strict=True)
    ]
    return [replace(turn, rank=rank) for turn, rank in zip(turns, ranks, strict=True)]


def stored(replays, name, conversations):
    """A new run of these conversations, of which the same may stand there twice."""
    turns = [
        replace(turn, entry=entry, conversation=f"drawn-{entry}", is_right=turn.rank == 1)
        for entry, own in enumerate(conversations)
        for turn in own
    ]
    turns = [replace(turn, position=place, key=place) for place, turn in enumerate(turns)]
    run = replays.begin(name, "2026-11-01T10:00:00.000", name, 0.5, [], {}, {}, name)
    replays.add(run.id, turns, 1.0, turns[-1].entry, 1)
    return replays.finish(run.id, "2026-11-01T11:00:00.000")


@pytest.mark.parametrize("kind", ["the same ranker by two seeds", "two rankers on logs where they are equal"])
def test_equal_models_are_called_different_one_time_in_twenty(desk, kind):
    generator = np.random.default_rng(7)
    called = dict.fromkeys((*WATCHED, "interval of mrr"), 0)
    with desk.replays() as replays, desk.store() as store:
        one, other = (by_conversation(replays, name) for name in ("bm25", "cosine"))
        is_one_ranker = kind.startswith("the same")
        chances = None if is_one_ranker else tilted(gains(one, other))
        for _ in range(SIMULATIONS):
            drawn = generator.choice(len(one), len(one), p=chances)
            if is_one_ranker:
                pair = [[blurred(one[place], generator) for place in drawn] for _ in range(2)]
            else:
                pair = [[run[place] for place in drawn] for run in (one, other)]
            runs = [stored(replays, name, run) for name, run in zip("AB", pair, strict=True)]
            found = {each.metric: each for each in compare(replays, store, *runs).differences}
            for run in runs:
                replays.delete(run.id)
            for metric in WATCHED:
                called[metric] += bool(found[metric].verdict)
            called["interval of mrr"] += not found["mrr"].low <= 0 <= found["mrr"].high
    shares = {name: count / SIMULATIONS for name, count in called.items()}
    print(f"\n{kind}: {len(one)} conversations, {SIMULATIONS} simulations; called different:")
    for name, share in shares.items():
        print(f"{name:16} {share:.3f}")
    # Three standard errors of a share of .05 in 200. Recall at 1 is equal only where the ranker is the same.
    watched = WATCHED if is_one_ranker else ("mrr",)
    assert all(abs(shares[name] - 0.05) < 0.047 for name in watched)
    assert shares["interval of mrr"] < 0.11
