"""How often two models that are equally good are called different: about one time in twenty.

    make bench

Two real replays of the sample's logs (by bm25 and by cosine) are drawn from: in each of 1,000 simulations as many
conversations as there are, with replacement, and a coin decides for each which of its two results is model A's.
Neither model is then better, whatever the turns of a conversation have in common. The interval and the same test over
single turns, which takes those of one conversation for independent, are shown beside it.
"""

from __future__ import annotations

from importlib import resources

import numpy as np

from bot.comparison import METRICS
from bot.pipeline import Pipeline
from bot.replay import replay
from conversations.desk import Desk
from conversations.importing import import_logs
from index.builder import update_index
from index.embedder import Embedder
from training.significance import bootstrap_intervals, paired_p_value

SIMULATIONS = 1_000


def results(tmp_path):
    """Reciprocal ranks of two rankers at each turn of the sample's logs, and the turns' conversations."""
    sample = resources.files("conversations.sample")
    desk = Desk.create(tmp_path, "sample")
    with desk.writing(), desk.store() as store:
        import_logs(store, [sample.joinpath("past.jsonl")], redact=True, rejects_dir=desk.rejects_path)
        update_index(desk.index_path, store, Embedder())
    logs = [sample.joinpath(name) for name in ("past.jsonl", "replay.jsonl")]
    found = []
    for name in ("bm25", "cosine"):
        with Pipeline.open(desk, name) as pipeline:
            run = replay(pipeline, logs).run
        with desk.replays() as replays:
            turns = replays.numbers(run, ["rank", "entry"])
        found.append(METRICS["mrr"](turns))
    return *found, turns["entry"].astype(int)


def test_equal_models_are_called_different_one_time_in_twenty(tmp_path):
    one, other, entry = results(tmp_path)
    places = [np.flatnonzero(entry == number) for number in np.unique(entry)]
    generator = np.random.default_rng(7)
    called = {"conversations": 0, "interval": 0, "turns": 0}
    for _ in range(SIMULATIONS):
        drawn = generator.integers(0, len(places), len(places))
        rows = np.concatenate([places[place] for place in drawn])
        groups = np.repeat(np.arange(len(drawn)), [len(places[place]) for place in drawn])
        swapped = (generator.random(len(drawn)) < 0.5)[groups]
        a, b = np.where(swapped, other[rows], one[rows]), np.where(swapped, one[rows], other[rows])
        called["conversations"] += paired_p_value(b, a, groups) < 0.05
        called["turns"] += paired_p_value(b, a, np.arange(len(rows))) < 0.05
        low, high = bootstrap_intervals((b - a)[:, None], groups)[0]
        called["interval"] += not low <= 0 <= high
    shares = {name: count / SIMULATIONS for name, count in called.items()}
    print(f"\n{len(places)} conversations, {len(entry)} turns, {SIMULATIONS:,} simulations; called different:")
    for name, share in shares.items():
        print(f"{name:14} {share:.3f}")
    # Three standard errors of a share of .05 in 1,000.
    assert abs(shares["conversations"] - 0.05) < 0.021
    assert shares["interval"] < 0.08
