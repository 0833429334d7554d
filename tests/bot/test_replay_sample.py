"""Replay over the sample desk: real encoder, index, store and base reranker."""

from __future__ import annotations

import json

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from made_once import SAMPLE, sample_desk
from rounding import same

from bot.pipeline import Pipeline
from bot.replay import replay
from conversations.desk import Desk
from conversations.errors import LogError


@pytest.fixture(scope="module", autouse=True)
def one_turn_is_timed():
    """Turns are answered once more to be timed, which says nothing here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.replay.TIMED_TURNS", 1)
        yield


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    sample_desk(home)
    return home


@pytest.fixture(scope="module")
def pipeline(home):
    with Pipeline.open(Desk.open(home, "shop")) as opened:
        yield opened


def test_replay_counts_every_turn_and_hides_the_conversation_itself(pipeline, home, tmp_path):
    own = replay(pipeline, [SAMPLE / "past.jsonl"], limit=60)
    assert own.turns == 60
    # With its own conversation in sight every turn would be answered rightly.
    assert own.recall_at_1 < 0.7
    assert own.recall_at_1 <= own.recall_at_5 <= own.recall_at_10 <= own.known <= 1.0


def test_a_planted_copy_is_hidden_and_would_be_found_were_it_not(pipeline, tmp_path, monkeypatch):
    lines = (SAMPLE / "past.jsonl").read_text(encoding="utf-8").splitlines()[:20]
    planted = [json.dumps(json.loads(line) | {"id": f"copy {number}"}) for number, line in enumerate(lines)]
    (tmp_path / "copies.jsonl").write_text("\n".join(planted), encoding="utf-8")
    hidden = replay(pipeline, [tmp_path / "copies.jsonl"])
    assert hidden.under_other_ids == 20 and hidden.known < 0.8
    monkeypatch.setattr("index.twins.Twins.of", lambda twins, conversation: ())
    report = replay(pipeline, [tmp_path / "copies.jsonl"])
    assert report.known == 1.0
    assert report.recall_at_10 > 0.8


def test_replay_looks_back_on_the_customer_and_never_ahead(pipeline, tmp_path, monkeypatch):
    def visit(name, who, year):
        at = f"{year}-06-01T09:00:00Z"
        turns = [{"role": "customer", "text": "me again", "at": at}, {"role": "agent", "text": "Hello!", "at": at}]
        return {"id": name, "customer": who, "turns": turns}

    lines = [visit("later", "c-1205", 2030), visit("before", "c-1205", 2001), visit("new", "c-0000", 2030)]
    (tmp_path / "visits.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    seen = []
    answer_many = pipeline.answer_many

    def spied(requests):
        seen.append([len(request.earlier) for request in requests])
        return answer_many(requests)

    monkeypatch.setattr(pipeline, "answer_many", spied)
    replay(pipeline, [tmp_path / "visits.jsonl"])
    later, before, new = seen[0]
    assert later > 4, "three conversations"
    assert (before, new) == (0, 0)


LINES = (SAMPLE / "replay.jsonl").read_text(encoding="utf-8").splitlines()[:7]


def outcomes(pipeline, log, lines, batch_size):
    """What was stored of each turn of these conversations, by conversation and turn."""
    log.write_text("\n".join(lines), encoding="utf-8")
    report = replay(pipeline, [log], batch_size)
    with pipeline.desk.replays() as replays:
        turns = replays.turns(report.run, range(report.turns))
    return {(turn.conversation, turn.turn): turn for turn in turns}


@pytest.fixture(scope="module")
def one_by_one(pipeline, tmp_path_factory):
    return outcomes(pipeline, tmp_path_factory.mktemp("alone") / "log.jsonl", LINES, 1)


@settings(max_examples=8, deadline=None, phases=[Phase.reuse, Phase.generate])  # an example takes too long to shrink
@given(batch_size=st.integers(2, 40), places=st.lists(st.sampled_from(range(len(LINES))), min_size=1, unique=True))
def test_what_a_turn_gets_depends_neither_on_its_batch_nor_on_the_order_of_the_log(
    pipeline, home, one_by_one, batch_size, places
):
    found = outcomes(pipeline, home / "log.jsonl", [LINES[place] for place in places], batch_size)
    names = {json.loads(LINES[place])["id"] for place in places}
    assert found.keys() == {key for key in one_by_one if key[0] in names}
    for key, turn in found.items():
        alone = one_by_one[key]
        assert (turn.said, turn.rank, turn.decision) == (alone.said, alone.rank, alone.decision)
        assert turn.confidence == same(alone.confidence, 1e-3)
        assert (turn.in_two, turn.is_known) == (same(alone.in_two, 1e-3), alone.is_known)


def test_the_reranker_beats_cosine_and_bm25_on_the_held_back_log(home):
    found = {}
    for name in ("bm25", "cosine", "cross-attention"):
        with Pipeline.open(Desk.open(home, "shop"), name) as pipeline:
            found[name] = replay(pipeline, [SAMPLE / "replay.jsonl"])
    best_plain = max(found["bm25"].recall_at_1, found["cosine"].recall_at_1)
    assert found["cross-attention"].recall_at_1 > best_plain
    assert found["cross-attention"].mrr > max(found["bm25"].mrr, found["cosine"].mrr)


def test_a_log_without_agents_cannot_be_replayed(pipeline, tmp_path):
    (tmp_path / "log.jsonl").write_text('{"id": "a", "turns": [{"role": "customer", "text": "hello"}]}\n')
    with pytest.raises(LogError, match="No agent turn"):
        replay(pipeline, [tmp_path / "log.jsonl"])
