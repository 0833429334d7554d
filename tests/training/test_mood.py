"""The mood of a message: read by attention over its words, stored whole or refused, trained from labelled lines."""

from __future__ import annotations

import gzip
import json
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.errors import LogError, ModelError, TrainingError
from conversations.model import Turn
from index.candidates import read_dialogues
from index.embedder import Embedder
from training.batching import stacked
from training.model_files import WEIGHTS
from training.mood import MoodReader, base_path, load_mood, mood_path, save_mood
from training.mood_data import HELD_OUT_SHARE, Labelled, base_labelled, read_labelled, split_labelled
from training.mood_head import CLASSES, MoodConfig, MoodHead
from training.mood_training import _drawn, train_mood
from training.splits import share_of

WIDTH = 16


@cache
def embedder():
    return Embedder()


def tiny_head(seen=CLASSES):
    torch.manual_seed(0)
    return MoodHead(MoodConfig("tiny@0", WIDTH, heads=2, key_width=4, value_width=4, seen=seen)).eval()


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_a_mood_does_not_depend_on_the_messages_beside_it(lengths, seed):
    generator = torch.Generator().manual_seed(seed)
    states = [torch.randn(length, WIDTH, generator=generator) for length in lengths]
    together = tiny_head().probabilities(states)
    torch.testing.assert_close(together.sum(dim=1), torch.ones(len(states)))
    for row, one in zip(together, states, strict=True):
        torch.testing.assert_close(tiny_head().probabilities([one])[0], row)


def test_padding_is_not_attended_to():
    states, mask = stacked([torch.randn(3, WIDTH), torch.randn(5, WIDTH)])
    shouted = torch.where(mask[:, :, None], states, torch.full_like(states, 9.0))
    torch.testing.assert_close(tiny_head()(states, mask), tiny_head()(shouted, mask))


def test_a_mood_that_was_not_learned_is_never_named():
    found = tiny_head(seen=("negative", "positive")).probabilities([torch.randn(4, WIDTH)])
    assert found[0, CLASSES.index("neutral")] == 0
    torch.testing.assert_close(found.sum(), torch.tensor(1.0))


def test_the_base_head_tells_moods_apart():
    reader = MoodReader.for_encoder(embedder())
    bad, plain, good = reader.read(
        ["This is the third time it broke and nobody cares.", "Which plug do I need in Spain?", "Great, thank you!"]
    )
    assert bad.score < -0.5 < abs(plain.score) < 0.5 < good.score
    assert [mood.label for mood in (bad, plain, good)] == list(CLASSES)
    assert reader.read([" "])[0].score == 0
    assert reader.read([]) == []


def test_the_mood_of_the_newest_turn_is_read_from_states_that_are_there():
    reader = MoodReader.for_encoder(embedder())
    before = (Turn("customer", "I love this shop!"), Turn("agent", "Thank you. Anything else?"))
    turn = Turn("customer", "My lamp is broken again, I am fed up with you.")
    read = read_dialogues(embedder(), [(turn,), (*before, turn)], reader.states_below)
    alone, later = reader.read_newest(read, reader.states_below)
    assert reader.read_newest(read, 5)[0].score == pytest.approx(alone.score, abs=0.01)  # another ranker's states
    assert alone.score == pytest.approx(reader.read([turn.text])[0].score, abs=0.01)
    assert later.score < -0.5


def test_a_dialogue_before_it_hardly_changes_how_a_turn_sounds():
    reader = MoodReader.for_encoder(embedder())
    texts = [
        "No, the other one.",
        "My room is 212.",
        "This is a disgrace.",
        "You lied to me!",
        "Thanks, that was quick!",
    ]
    before = (Turn("customer", "I have a question."), Turn("agent", "Of course. Could you tell me more about it?"))
    dialogues = [(*before, Turn("customer", text)) for text in texts]
    read = reader.read_newest(read_dialogues(embedder(), dialogues, reader.states_below), reader.states_below)
    assert [mood.label for mood in read] == ["neutral", "neutral", "negative", "negative", "positive"]


def test_no_head_is_better_than_one_of_another_encoder(tmp_path):
    class Other:
        identity = "bert-6x384@0123456789abcdef"

    assert MoodReader.for_encoder(Other(), tmp_path) is None
    with pytest.raises(ModelError, match="reads the states of"):
        load_mood(mood_path(base_path(), embedder().identity), Other.identity)


def test_a_head_comes_back_as_it_was_saved_and_a_damaged_one_is_refused(tmp_path):
    head, states = tiny_head(), [torch.randn(4, WIDTH)]
    directory = save_mood(tmp_path, head, {})
    found = load_mood(directory, "tiny@0").probabilities(states)
    torch.testing.assert_close(found, head.probabilities(states), atol=1e-3, rtol=0)
    content = (directory / WEIGHTS).read_bytes()
    (directory / WEIGHTS).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ModelError, match="damaged"):
        load_mood(directory, "tiny@0")


def test_training_learns_what_the_labels_say(tmp_path):
    # Turned around, so that nothing but these labels can teach it.
    other = {"negative": "positive", "neutral": "neutral", "positive": "negative"}
    rows = [Labelled(row.text, other[row.label]) for row in base_labelled()]
    report = train_mood(embedder(), rows, tmp_path)
    assert report.messages + report.held_out == len(rows)
    assert report.macro_f1 > 0.7
    reader = MoodReader.for_encoder(embedder(), tmp_path)
    angry, happy = reader.read(["You are useless, I want my money back!", "Wonderful, thank you so much!"])
    assert angry.score > 0.5 > -0.5 > happy.score


def write_lines(path, *lines):
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)
    return path


def test_a_mood_that_nothing_is_trained_on_is_not_measured_either():
    rows = [Labelled(f"message {number}", ("negative", "neutral")[number % 2]) for number in range(200)]
    held_out = next(text for text in (f"so good {n}" for n in range(99)) if share_of(text, "mood") < HELD_OUT_SHARE)
    train, measured = split_labelled([*rows, Labelled(held_out, "positive")])
    assert len(train) + len(measured) == 200 and {row.label for row in measured} == {"negative", "neutral"}


def test_messages_behind_an_agent_are_drawn_from_all_of_a_sorted_file():
    rows = [Labelled(f"message {number}", "negative" if number < 2_000 else "neutral") for number in range(4_000)]
    drawn = _drawn(rows, 1_000, 13)
    assert len(drawn) == len(set(drawn)) == 1_000
    assert 400 < sum(row.label == "negative" for row in drawn) < 600
    assert _drawn(rows[:500], 1_000, 13) == rows[:500]


def test_labelled_messages_are_read_and_cleaned(tmp_path):
    good = json.dumps({"id": 1, "text": " It\x1b[2J fails. ", "label": "Negative"})
    again = json.dumps({"text": "It fails.", "label": "neutral"})
    assert read_labelled([write_lines(tmp_path / "a", good, again)]) == [
        Labelled("It fails.", "negative"),
        Labelled("It fails.", "neutral"),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "broken JSON"),
        ("[1]", "not an object"),
        ('{"text": "a", "label": "angry"}', "'angry', not one of negative, neutral, positive"),
        ('{"text": "", "label": "neutral"}', 'no "text"'),
        ('{"label": "neutral"}', 'no "text"'),
        ('{"text": "a", "label": "\x1b[2J"}', "broken JSON"),
    ],
)
def test_a_wrong_line_is_named_with_its_number_and_the_remedy(tmp_path, line, said):
    path = write_lines(tmp_path / "labelled.jsonl.gz", '{"text": "ok", "label": "neutral"}', line)
    with pytest.raises(LogError) as caught:
        read_labelled([path])
    assert said in str(caught.value)
    assert "labelled.jsonl.gz, line 2" in str(caught.value)
    assert "Each line must be one row" in caught.value.remedy


def test_too_few_messages_or_one_mood_train_nothing():
    with pytest.raises(TrainingError, match="1 labelled messages"):
        split_labelled([Labelled("a", "neutral")])
    with pytest.raises(TrainingError, match="1 mood"):
        split_labelled([Labelled(str(n), "neutral") for n in range(90)])


def test_the_messages_that_ship_are_varied():
    rows = base_labelled()
    counts = {name: sum(row.label == name for row in rows) for name in CLASSES}
    assert len(rows) > 450
    assert min(counts.values()) >= 100
    openings = {" ".join(row.text.casefold().split()[:3]) for row in rows}
    assert len(openings) > 0.8 * len(rows)
