"""Choosing what a desk answers, asks and hands over, on a stored replay of held-out logs and for a stated risk.

The confidence is read anew first where that makes it truer on these logs (cross-validated). Then two thresholds are
chosen. From the first one on the desk answers. Of the turns below it whose best two answers are close, it asks which
of them is meant from the second one on, chosen for the same risk that neither is right; where no threshold can
promise that, it does not ask. What is left is handed over. A desk that cannot promise the risk for its answers is not
ready, and is told what is missing, and how wrong the threshold that it has now was on these logs. Until one is found
it can be switched off.

A model that was trained on the desk looks better on the conversations that the desk holds than it is on others,
also as of their day: their turns are left out.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.pipeline import Pipeline
from conversations.desk import Desk
from conversations.errors import ModelError
from conversations.known_ids import KnownIds
from conversations.replay_tables import ReplayRun
from conversations.replays import Replays
from training.calibration import AS_IT_IS, NEVER, Decision, Scale, fit_scale
from training.desk_calibration import keep_decision, switch_answering
from training.metrics import Calibration, calibration
from training.registry import BASE
from training.risk_control import Trade, kept, least_cases, trades
from training.significance import LEAST_CONVERSATIONS

Floats = npt.NDArray[np.floating]

TELLING = 20
"""Of fewer answered turns it is not said that the ranker is too often wrong."""


@dataclass(frozen=True)
class Answering:
    """What the desk answered in a replay."""

    threshold: float
    """From which confidence on."""
    answered: int
    wrong: int


@dataclass(frozen=True)
class Tuning:
    """What was chosen, or what is missing."""

    run: int
    turns: int
    """That it was chosen on."""
    in_desk: int
    """Turns of conversations that the desk holds, or held then."""
    left_out: int
    """Of these those that were left out: all of them where the desk's model was trained on it, otherwise none."""
    risk: float
    before: float
    """The threshold so far."""
    present: Answering
    """With that threshold; with the replay's own where the two readings of confidence cannot be compared."""
    chosen: Trade | None
    """None where the desk is not ready."""
    asking: Trade | None
    """Of the turns with two close answers that are not answered; None where it will not ask."""
    missing: str
    """What it takes, as a sentence; empty where it is ready."""
    curve: tuple[Trade, ...]
    """Of answering, from the highest threshold down; where no threshold can promise the risk yet, however many are
    right, of those that tell something all the same."""
    asking_curve: tuple[Trade, ...]
    """Of asking back; empty where too few turns have two close answers."""
    calibration: Calibration
    """Of the confidence as the replay has it."""
    calibration_after: Calibration
    """As it is read from now on, cross-validated; the same where it is read as before."""

    def as_json(self) -> dict[str, Any]:
        """Plain values, nested."""
        found = asdict(self) | {"ready": self.chosen is not None}
        del found["calibration"], found["calibration_after"]
        after = {name.replace("ece", "ece_after"): value for name, value in self.calibration_after.as_json().items()}
        return found | self.calibration.as_json() | after


def tune(pipeline: Pipeline, replays: Replays, run: ReplayRun, risk: float, dry_run: bool = False) -> Tuning:
    """Chooses the thresholds and keeps them with the model; where the desk is not ready nothing is changed.

    Args:
        pipeline: the desk with its model.
        replays: that hold the run.
        run: finished; turns that the desk's model was trained on are left out.
        risk: share of wrong answers among those given.
        dry_run: only look.

    Raises:
        ModelError: the run is of another model than the desk's.
    """
    model = pipeline.model
    if model is None or run.ranker != pipeline.ranker_name or run.settings.get("model") != model.as_served:
        raise ModelError(
            f"Replay {run.id} was made with {run.ranker}, not with the desk's present model.",
            "Replay the logs again with the model in use: attendant replay LOGS.",
        )
    is_held = _is_held(pipeline, replays, run)
    is_used = ~is_held if model.name != BASE else np.ones(len(is_held), bool)
    columns = replays.numbers(run.id, ("confidence", "is_right", "in_two", "rank"))
    numbers = {name: column[is_used] for name, column in columns.items()}
    said, right, groups = numbers["confidence"], numbers["is_right"] > 0, replays.groups(run.id)[is_used]
    left_out = int((~is_used).sum())
    reading = run.settings.get("confidence")
    # Of a replay that an earlier version stored it is not known how its confidence was read.
    scale, honest = fit_scale(said, right, [str(one) for one in groups]) if reading else (AS_IT_IS, said)
    confidence, in_two = scale(said), scale(numbers["in_two"])
    calibrated = calibration(honest, right)
    curve = trades(confidence, right, groups, risk)
    chosen = kept(curve, risk)
    since = _since(reading, pipeline.decision) if reading else AS_IT_IS
    present = (
        _answering(said, right, run.threshold)
        if since is None
        else _answering(since(said), right, pipeline.threshold)
    )
    asking_curve: list[Trade] = []
    if chosen is not None:
        is_asked = (confidence < chosen.threshold) & ~np.isnan(in_two)
        among_two = (numbers["rank"] == 1) | (numbers["rank"] == 2)
        asking_curve = trades(in_two[is_asked], among_two[is_asked], groups[is_asked], risk)
    asking = kept(asking_curve, risk)
    if chosen is not None and not dry_run:
        decision = pipeline.decision.read_as(reading, scale) if reading else pipeline.decision
        decision = replace(
            decision,
            threshold=chosen.threshold,
            ask_threshold=asking.threshold if asking else NEVER,
            risk=risk,
            cases=len(confidence),
            ece=calibrated.ece,
        )
        with pipeline.desk.writing():
            keep_decision(pipeline.store, model.fingerprint, decision, is_tuned=True)
            switch_answering(pipeline.store, True)
    missing, shown = "", curve
    if chosen is None:
        conversations = len(np.unique(groups))
        shown = curve or _telling(trades(confidence, right, groups), conversations)
        missing = _missing(curve, shown, risk, len(said), conversations, left_out)
    return Tuning(
        run=run.id,
        turns=len(confidence),
        in_desk=int(is_held.sum()),
        left_out=left_out,
        risk=risk,
        before=pipeline.threshold,
        present=present,
        chosen=chosen,
        asking=asking,
        missing=missing,
        curve=tuple(shown),
        asking_curve=tuple(asking_curve),
        calibration=calibration(said, right),
        calibration_after=calibrated,
    )


def _is_held(pipeline: Pipeline, replays: Replays, run: ReplayRun) -> npt.NDArray[np.bool_]:
    """Per turn whether it is of a conversation that the desk holds, or held then, under any id."""
    numbers, names = replays.labels(run.id, "conversation")
    had_copies = {name for name, _, copies in replays.conversations(run.id) if copies}
    ids = KnownIds(pipeline.store)
    held = [name in had_copies or ids.find(name) is not None for name in names]
    return np.array(held, bool)[numbers]


def switch_off(desk: Desk) -> None:
    """Lets the desk hand everything over, whichever model serves it, until a risk was chosen that it can keep.

    Raises:
        DeskError: another command writes to the desk.
    """
    with desk.writing(), desk.store() as store:
        switch_answering(store, False)


def _since(reading: dict[str, Any], decision: Decision) -> Scale | None:
    """How confidence of one reading is to be scaled for a decision's own; None where it is another altogether."""
    before = Scale(*reading.get("scale", ()))
    then, now = np.array(reading["coefficients"]), np.array(decision.coefficients)
    # Other than 1 only where an earlier version kept a scale within the coefficients.
    slope = float(now.sum() / then.sum()) if then.sum() > 0 else 0.0
    is_another = reading["temperature"] != decision.temperature or not np.allclose(now, slope * then)
    if is_another or min(slope, before.slope) <= 0:
        return None
    between = Scale(slope, decision.intercept - slope * reading["intercept"])
    return before.back().then(between).then(decision.scale)


def _answering(confidence: Floats, right: npt.NDArray[np.bool_], threshold: float) -> Answering:
    # A hair's breadth for rounding: the threshold is the confidence of one of the turns, perhaps read twice.
    told = confidence >= threshold - 1e-9
    return Answering(threshold, int(told.sum()), int((told & ~right).sum()))


def _missing(
    curve: list[Trade], shown: list[Trade], risk: float, turns: int, conversations: int, left_out: int
) -> str:
    telling = _telling(shown, conversations)
    if not curve:
        if telling and all(trade.least > risk for trade in telling):
            return _not_mended(telling, risk)
        others = " that the model was not trained on" if left_out else ""
        return (
            f"A risk of {risk:.0%} needs at least {least_cases(risk)} turns of {LEAST_CONVERSATIONS} conversations, "
            "all answered rightly, and more where some conversations hold many of them; there are "
            f"{turns} turns of {conversations} conversations{others}: replay more logs"
            f"{', before they are imported.' if left_out else '.'}"
        )
    hopeful = [trade for trade in telling or curve if trade.risk <= risk]
    if hopeful or not telling:
        best = min(hopeful or curve, key=lambda trade: trade.bound - trade.risk)
        return f"{_surest(best)}: too few to promise {risk:.0%}. Replay more logs{_turns_needed(best, risk, turns)}."
    return _not_mended(telling, risk)


def _telling(curve: list[Trade], conversations: int) -> list[Trade]:
    """Those of a curve that say something of the ranker."""
    return [trade for trade in curve if trade.answered >= TELLING and conversations >= LEAST_CONVERSATIONS]


def _not_mended(telling: list[Trade], risk: float) -> str:
    best = min(telling, key=lambda trade: trade.risk)
    return (
        f"{_surest(best)}, and more logs do not mend that. It must rank better before {risk:.0%} can be promised: "
        "import more conversations of this kind and train (attendant train), or choose a larger risk."
    )


def _surest(trade: Trade) -> str:
    return f"Of the {trade.answered} turns that the ranker is surest of, {trade.wrong} are wrong ({trade.risk:.0%})"


def _turns_needed(trade: Trade, risk: float, turns: int) -> str:
    """About how many turns would do if the ranker stayed as it is: doubt falls with the root of their number."""
    if trade.risk >= risk:
        return ""
    needed = turns * ((trade.bound - trade.risk) / (risk - trade.risk)) ** 2
    return f"; about {float(f'{needed:.2g}'):,.0f} turns like these would do" if needed > turns else ""
