"""Early warning: words that call for a person, a mood that falls, a burst of bad turns."""

from __future__ import annotations

import pytest
from chat_fakes import ANSWERS, FakePipeline
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue import Dialogue
from bot.early_warning import THRESHOLD, desk_threshold, heeded, warnings_after
from bot.mood import MoodTrend
from bot.warning_words import KINDS, telling_words
from conversations.model import Turn
from conversations.store import Store
from training.mood import Mood


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("person", "This is useless, let me talk to a human!"),
        ("person", "real person please"),
        ("person", "agent"),
        ("person", "I'd like to speak with your manager now"),
        ("person", "Could you please connect me with customer service?"),
        ("person", "is there anyone I can speak to"),
        ("person", "can i get a human"),
        ("person", "Who's your manager?"),
        ("person", "I don't want a bot. I want a human."),
        ("person", "Kann ich bitte mit einem Mitarbeiter sprechen?"),
        ("person", "别废话了，转人工"),
        ("person", "I'd like a real person"),
        ("person", "we would prefer an agent, please"),
        ("person", "I need help from a human being"),
        ("person", "can I get an answer from a real person?"),
        ("person", "could a human please help me"),
        ("person", "why can't I speak to a human?"),
        ("person", "I haven't been able to reach a human"),
        ("person", "I can't find how to talk to a person"),
        ("person", "I can't get through to anyone, not even a manager. I cannot reach an agent!"),
        ("person", "Is there a real person?"),
        ("person", "customer service representative"),
        ("person", "please escalate this"),
        ("harm", "my son got burned by your kettle"),
        ("harm", "our daughter was badly injured"),
        ("harm", "I had an allergic reaction and went to hospital"),
        ("harm", "she was taken to hospital"),
        ("harm", "it exploded and burned my hand"),
        ("harm", "I can't believe it burnt my daughter"),
        ("harm", "the tea scalded my left arm"),
        ("harm", "my son got an electric shock"),
        ("harm", "your lamp gave my wife a nasty electric shock"),
        ("harm", "I was nearly electrocuted"),
        ("harm", "The battery suddenly exploded!"),
        ("harm", "the charger caught fire"),
        ("harm", "she ended up in hospital"),
        ("harm", "I think I might kill myself if nobody helps me"),
        ("harm", "I would never kill myself over a phone bill"),
        ("harm", "I don't want to live any more"),
        ("harm", "my son has taken too many pills"),
        ("harm", "I'll hurt somebody if this goes on"),
        ("law", "You will hear from my lawyer"),
        ("law", "I'll sue you"),
        ("law", "then we will take you to court"),
        ("law", "I am considering legal action"),
        ("law", "I'm calling the police"),
        ("law", "then I will go to the police"),
        ("law", "I'm going to the police."),
        ("law", "We'll report this to the authorities"),
        ("law", "I have reported you to the police"),
        ("law", "I will report you to trading standards"),
        ("law", "next I contact Trading Standards"),
        ("law", "I filed a complaint with the Better Business Bureau"),
        ("law", "if this is not fixed I will sue"),
        ("law", "If I do not get my money, I will go to the police"),
        ("law", "I won't hesitate to sue you"),
        ("law", "Don't make me call my lawyer"),
        ("law", "I am issuing proceedings"),
        ("press", "the BBC will hear about this"),
        ("press", "the newspapers are going to hear about it"),
        ("press", "I'll call CNN"),
        ("press", "I am going to the newspaper... I'll tell the newspaper everything"),
        ("press", "this will go viral"),
        ("press", "I'm going to post this all over Facebook"),
        ("law", "我要找律师起诉你们"),
        ("law", "再不退款我就打12315"),
        ("law", "那就法院见吧"),
        ("press", "我要找记者曝光"),
        ("press", "我会发到微博上让大家都看看"),
        ("harm", "充电器爆炸了，我儿子烫伤了"),
    ],
)
def test_what_calls_for_a_person_is_heard(kind, text):
    assert kind in [found for found, _ in telling_words(text)]


@pytest.mark.parametrize(
    "text",
    [
        "I do not want to talk to a person",
        "I don't want to speak to an agent, just tell me",
        "Can I do that without talking to a human?",
        "Ich möchte nicht mit einem Mitarbeiter sprechen",
        "不要转人工",
        "我不会起诉的",
        "曝光时间怎么设置",
        "把照片发给我",
        "I spoke to an agent yesterday",
        "Are you a human?",
        "I need to talk to my partner first",
        "My travel agent booked it",
        "a table for 4 people please",
        "I want to change my driver to someone else",
        "He got promoted to manager",
        "press 1",
        "I'm going to press my luck",
        "Please send the invoice to the press office",
        "great news, thank you!",
        "my newspaper did not arrive",
        "the Court Yard Hotel, please",
        "I booked the tennis court for six",
        "My name is Sue Miller",
        "I need to Sue Miller's account",
        "does the policy cover legal costs?",
        "I have time to kill",
        "my wife will kill me",
        "Let's shoot for Monday",
        "desserts to die for",
        "I don't want to live near the station",
        "I'm not going to sue anybody",
        "I can't talk to a person right now, I'm in a meeting",
        "is there a person called Ann in your office?",
        "I don't want you to escalate this",
        "I got burned by your pricing",
        "my son was not injured",
        "is there a risk of an allergic reaction?",
        "I'd like a real person-sized cutout",
        "I would like the manager position",
        "I need help from my bank",
        "can a person help with two orders?",
        "the electric shock absorber",
        "I got an electric shock absorber last week",
        "he gave a lecture on electric shock",
        "I got a shock when I saw the bill",
        "my son did not get an electric shock",
        "a burned CD",
        "I burned my CD collection onto a disk",
        "my inbox exploded",
        "it exploded on TikTok",
        "my phone exploded with notifications",
        "a hospital bed",
        "police uniform costume",
        "I'm calling the police uniform shop",
        "should I call the police?",
        "do I have to report this to the police?",
        "my card was stolen, I have reported it to the police",
        "I am going to the police station at 5, please send a driver",
        "I won't call the police",
        "does it meet trading standards?",
        "I want to report it lost",
        "the BBC channel is missing",
        "I have switched to the BBC",
        "the press will be in the lobby",
        "",
    ],
)
def test_what_only_looks_like_it_is_not(text):
    assert telling_words(text) == []


@given(st.text(max_size=300))
def test_any_text_can_be_looked_at(text):
    assert {kind for kind, _ in telling_words(text)} <= set(KINDS)


def test_long_hostile_text_is_looked_at_quickly():
    # Rules that try every way to read such a text would not end within the time limit of a test.
    for text in ("please " * 3_000, "want " * 3_000, "no " * 4_000, "to the " * 2_000, "a" * 20_000):
        assert telling_words(text) == []
    # What is denied may be denied very often.
    for text in ("I don't want to talk to a person. " * 10_000, "不转人工" * 40_000, "I won't sue you, " * 20_000):
        assert telling_words(text) == []


def kinds(trend, threshold=-0.5):
    return [warning.kind for warning in warnings_after("where is it", trend, len(trend.scores), threshold)]


def test_a_fall_below_the_threshold_warns_once():
    falling = MoodTrend((-0.9, -0.9))
    assert kinds(MoodTrend((-0.9,))) == []
    assert kinds(falling) == ["mood"]
    assert "mood" not in kinds(MoodTrend((*falling.scores, -0.9)))
    assert kinds(MoodTrend((-0.9, -0.9, 0.9, 0.9, -0.9, -0.9))) == ["mood"]
    assert kinds(falling, threshold=-0.8) == []
    assert kinds(MoodTrend()) == []


def test_three_bad_turns_of_four_are_a_burst_once():
    assert kinds(MoodTrend((-0.6, 0.0, -0.6)), -0.9) == []
    assert kinds(MoodTrend((-0.6, 0.0, -0.6, -0.6)), -0.9) == ["burst"]
    assert kinds(MoodTrend((-0.6, -0.6, -0.6, -0.6)), -0.9) == []


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=12), st.integers(0, 11))
def test_a_worse_turn_never_lifts_the_level(scores, place):
    place %= len(scores)
    worse = [*scores[:place], -1.0, *scores[place + 1 :]]
    assert MoodTrend(tuple(worse)).level <= MoodTrend(tuple(scores)).level + 1e-6
    assert -1 <= MoodTrend(tuple(scores)).level <= 1


@given(st.lists(st.sampled_from([-0.9, -0.6, 0.0, 0.8]), min_size=100, max_size=150))
def test_a_long_dialogue_is_warned_of_as_by_all_of_it(scores):
    dialogue = Dialogue()
    for number, score in enumerate(scores, 1):
        raised = dialogue.hear(number, "where is it", Mood(max(-score, 0.0), 1 - abs(score), max(score, 0.0)))
        assert raised == list(warnings_after("where is it", MoodTrend(tuple(scores[:number])), number))


def test_a_desk_may_choose_its_threshold(tmp_path):
    with Store(tmp_path / "desk.sqlite") as store:
        assert desk_threshold(store) == THRESHOLD
        store.set_setting("mood_threshold", -0.2)
        assert desk_threshold(store) == -0.2


def test_who_asks_for_a_person_gets_one():
    answer = FakePipeline(ANSWERS).answer([Turn("customer", "it is dark")])
    warned = warnings_after("I want to speak to a human.", MoodTrend(), 1)
    assert heeded(answer, warned).decision == "handoff"
    assert heeded(answer, warned).candidates == answer.candidates
    assert heeded(answer, warnings_after("I'll sue you", MoodTrend(), 1)) == answer
