"""Saving a dialogue: what import reads back, pictures that ask nobody for anything, and places that cannot be."""

from __future__ import annotations

import re
import resource
import signal
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import pytest
from chat_fakes import ANSWERS, HOSTILE, PAST, FakePipeline, assert_harmless, make_chat, shown
from hypothesis import given
from hypothesis import strategies as st

from bot.customer import Customer
from bot.dialogue import Dialogue
from bot.transcript import save_transcript
from conversations.importing import import_logs
from conversations.model import Turn
from conversations.moments import read_moment
from conversations.readers import read_log
from conversations.store import Store


@pytest.fixture
def chat():
    chat = make_chat(FakePipeline(ANSWERS, PAST))
    chat.take("can I return it? \U0001f6cb 沙发")
    return chat


def test_a_saved_dialogue_is_a_log_that_import_reads(chat, tmp_path):
    chat.dialogue.customer = Customer("C-7", "pseudonym")
    chat.take("and <b>if</b> it is open?")
    chat.take(f"/save {tmp_path / 'a b.jsonl'}")
    assert f"Saved to {tmp_path / 'a b.jsonl'}." in shown(chat)
    (conversation,) = read_log(tmp_path / "a b.jsonl")
    assert conversation.turns == chat.dialogue.turns
    assert all(read_moment(turn.at) for turn in conversation.turns)
    assert conversation.customer == "C-7"
    assert conversation.meta == {"outcome": "answered"}


def test_a_dialogue_that_was_handed_over_is_read_back_with_what_was_turned_down(chat, tmp_path):
    for line in ("/bad", "/handoff", f"/save {tmp_path / 'one.jsonl'}"):
        chat.take(line)
    for _ in ANSWERS[1:]:
        chat.take("/bad")
    chat.take(f"/save {tmp_path / 'two.jsonl'}")
    (one,) = read_log(tmp_path / "one.jsonl")
    assert one.meta == {"outcome": "handed_over", "turned_down": [ANSWERS[0].text]}
    assert [turn.role for turn in one.turns] == ["customer", "agent"]
    with Store(tmp_path / "desk.sqlite") as store:
        report = import_logs(store, [tmp_path / "two.jsonl"], rejects_dir=tmp_path)
        (two,) = store.conversations()
    assert (report.conversations, report.with_bot, report.rejected) == (1, 1, 0)
    assert [turn.role for turn in two.turns] == ["customer"]
    assert two.meta == {"outcome": "handed_over", "turned_down": [answer.text for answer in ANSWERS]}


def test_where_it_is_asked_back_the_dialogue_is_open(tmp_path):
    class Unsure(FakePipeline):
        def _answer(self, request):
            return replace(super()._answer(request), decision="ask", answer=None)

    chat = make_chat(Unsure(ANSWERS, PAST))
    chat.take("can I return it?")
    chat.take(f"/save {tmp_path / 'open.jsonl'}")
    chat.take("2")
    chat.take(f"/save {tmp_path / 'picked.jsonl'}")
    outcomes = [one.meta["outcome"] for name in ("open", "picked") for one in read_log(tmp_path / f"{name}.jsonl")]
    assert outcomes == ["open", "answered"]


@pytest.mark.parametrize("suffix", ["svg", "html"])
def test_a_picture_is_whole_harmless_and_asks_no_other_server(chat, tmp_path, suffix):
    chat.take(HOSTILE)
    path = tmp_path / f"dialogue.{suffix}"
    chat.take(f"/save {path}")
    text = path.read_text(encoding="utf-8")
    assert_harmless(text)
    assert "@font-face" not in text and "url(http" not in text and "<script" not in text and "src=" not in text
    assert "return" in text and "沙发" in text and "box" in text
    if suffix == "svg":
        assert ElementTree.fromstring(text).tag.endswith("svg")


HOSTILE_CHARACTERS = st.one_of(
    st.characters(codec=None), st.sampled_from("\x00\x1b[\x9b\ufdd0\ufffe\uffff<&]\ud800沙")
)
ANY_TEXT = st.lists(HOSTILE_CHARACTERS).map("".join)


@given(ANY_TEXT, ANY_TEXT)
def test_whatever_was_written_a_picture_can_be_parsed_and_holds_no_control_characters(asked, answered):
    dialogue = Dialogue(turns=(Turn("customer", asked), Turn("agent", answered)))
    with TemporaryDirectory() as home:
        svg, html = Path(home) / "dialogue.svg", Path(home) / "dialogue.html"
        save_transcript(dialogue, svg)
        save_transcript(dialogue, html)
        assert ElementTree.fromstring(svg.read_bytes()).tag.endswith("svg")
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]", html.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "columns"),
    [("我的沙发什么时候送到？", 22), ("sofa", 4), ("a & b < c", 9), ("&amp; 沙发", 10), ("e\u0301", 1)],
)
def test_in_a_picture_text_is_as_wide_as_on_the_screen(tmp_path, text, columns):
    path = tmp_path / "dialogue.svg"
    save_transcript(Dialogue(turns=(Turn("customer", "q"), Turn("customer", text))), path)
    drawn = [one for one in ElementTree.parse(path).iterfind(".//{*}text") if one.get("textLength")]
    lengths = {one.text.replace("\xa0", " "): float(one.get("textLength")) for one in drawn}
    assert lengths[text] == pytest.approx(columns * lengths["q"])


def test_words_that_look_like_a_style_stay_in_the_picture(tmp_path):
    path = tmp_path / "dialogue.svg"
    said = ("my page has @font-face{ in it", "and", "color: red } too")
    save_transcript(Dialogue(turns=tuple(Turn("customer", text) for text in said)), path)
    drawn = "".join(ElementTree.parse(path).getroot().itertext()).replace("\xa0", " ")
    assert all(text in drawn for text in said)


def test_where_nothing_can_be_saved(chat, tmp_path):
    there = tmp_path / "there.jsonl"
    there.write_text("precious")
    for arguments, said in [
        ("", "Say where"),
        (str(there), "is there already"),
        (str(tmp_path / "a.docx"), "End its name in one of"),
        (str(tmp_path / "nowhere" / "a.jsonl"), "cannot be written"),
    ]:
        assert chat.take(f"/save {arguments}")
        assert said in shown(chat)
    assert there.read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["there.jsonl"]
    empty = make_chat()
    empty.take(f"/save {tmp_path / 'b.jsonl'}")
    assert "Nothing was said yet." in shown(empty)


@pytest.mark.parametrize("end", ["svg", "JSONL"])
def test_a_failed_saving_leaves_nothing_so_that_it_can_be_tried_again(chat, tmp_path, end):
    for text in ["does it fit through a narrow door? " * 200] * 3:
        chat.take(text)
    path, limits = tmp_path / f"dialogue.{end}", resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # beyond the limit a write fails as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        assert chat.take(f"/save {path}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert "cannot be written (File too large)" in shown(chat)
    assert list(tmp_path.iterdir()) == []
    assert chat.take(f"/save {path}")
    assert f"Saved to {path}." in shown(chat) and path.stat().st_size > 4096


def test_a_suffix_may_be_written_in_capitals(chat, tmp_path):
    for name in ("A.JSONL", "B.Svg", "C.HTML"):
        chat.take(f"/save {tmp_path / name}")
    (conversation,) = read_log(tmp_path / "A.JSONL")
    assert conversation.turns == chat.dialogue.turns
    assert (tmp_path / "B.Svg").read_text().startswith("<svg")
    assert (tmp_path / "C.HTML").read_text().startswith("<!DOCTYPE html>")


def test_the_home_of_a_user_whom_nobody_knows_is_an_error_in_one_line(chat):
    chat.take("where is my sofa?")
    assert chat.take("/save ~nobody-of-that-name/dialogue.jsonl")
    assert "cannot be written" in shown(chat)
