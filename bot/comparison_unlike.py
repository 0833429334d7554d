"""What else than the ranker differs between two stored replays, as far as the runs tell."""

from __future__ import annotations

from collections.abc import Iterator

from conversations.replay_tables import ReplayRun
from training.calibration import AS_IT_IS, NEVER


def unlike(first: ReplayRun, second: ReplayRun) -> Iterator[str]:
    """Sentences about two runs, A and B; what earlier versions did not keep is passed over.

    Args:
        first: A.
        second: B.
    """
    dated, other = ("A", "B") if first.settings.get("as_of") else ("B", "A")
    if bool(first.settings.get("as_of")) != bool(second.settings.get("as_of")):
        yield f"{dated} was replayed --as-of, {other} was not: that alone makes a difference."
    # Earlier versions did not keep the encoder, nor the desk's latest writing.
    encoders, writings = ([run.settings.get(name) for run in (first, second)] for name in ("encoder", "pairs"))
    if all(encoders) and encoders[0] != encoders[1]:
        yield f"A was replayed with the encoder {encoders[0]}, B with {encoders[1]}."
    pairs = [run.desk.get("pairs", 0) for run in (first, second)]
    if pairs[0] != pairs[1]:
        yield f"The desk held {pairs[0]:,} pairs for A and {pairs[1]:,} for B: not only the ranker differs."
    elif all(writings) and writings[0] != writings[1]:
        # It may also have been changed back.
        yield "The desk was changed between A and B: more than the ranker may differ."
    if first.threshold != second.threshold and first.decides and second.decides:
        yield f"{_thresholds(first.threshold, second.threshold)}: that alone makes a difference in what is answered."
    if _is_one_ranker(first, second) and _is_read_otherwise(first, second):
        yield "A and B read the confidence of the same ranker in two ways: that alone makes a difference in brier."


def _thresholds(first: float, second: float) -> str:
    if first >= NEVER:
        return f"A was switched off, B answered from {second:.3f} on"
    ours = f"A answered from {first:.3f} on"
    return f"{ours}, B was switched off" if second >= NEVER else f"{ours}, B from {second:.3f}"


def _is_one_ranker(first: ReplayRun, second: ReplayRun) -> bool:
    """Of each ranker, with its model, confidence is read in a way of its own."""
    return first.ranker == second.ranker and first.settings.get("model") == second.settings.get("model")


def _is_read_otherwise(first: ReplayRun, second: ReplayRun) -> bool:
    kept = [run.settings.get("confidence") for run in (first, second)]
    # Earlier versions kept no scale, and before that nothing.
    ours, theirs = ({"scale": list(AS_IT_IS), **reading} if reading else None for reading in kept)
    return ours is not None and theirs is not None and ours != theirs
