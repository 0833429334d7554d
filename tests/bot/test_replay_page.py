"""The page of a replay: whole, self-contained, escaped; and the figures in its pictures."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored_runs import desk_with_answers, random_ranks, store_run, turn

from bot.charts import Axis, bars, lines
from bot.cli import main
from bot.replay_figures import report_of
from bot.replay_page import write_page
from bot.replay_pictures import waiting_bars
from conversations.desk import Desk

HOSTILE = '<script>alert(1)</script><img src="http://evil.example/x"> {{ 7 * 7 }} \x1b[2J\u202eevil & "quoted"'
ROOT = Path(__file__).resolve().parents[2]
VOID = {"meta", "br", "img", "link", "hr", "input"}


class Page(HTMLParser):
    """Elements with their attributes, and whether they are nested rightly."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open, self.problems, self.words = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(tag)

    def handle_data(self, data):
        self.words.append(data)


def page_of(tmp_path, turns, name="run"):
    desk = desk_with_answers(tmp_path)
    run = store_run(desk, name, turns)
    with desk.replays() as replays:
        report = report_of(replays, replays.run(str(run)))
    return write_page(tmp_path, desk, report).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    ranks = random_ranks(60, 0.6)
    turns = [turn(place, rank) for place, rank in enumerate(ranks)]
    turns[3] = turn(
        3, 0, question=HOSTILE, agent_answer=HOSTILE, topic=HOSTILE, conversation=HOSTILE, confidence=0.99
    )
    return page_of(tmp_path_factory.mktemp("page"), turns)


def test_it_is_whole_and_has_everything(text):
    page = Page(text)
    assert not page.problems and not page.open
    headings = "".join(page.words)
    for part in ("Recall at k", "Reliability", "Risk and coverage", "Waiting time", "Topic", "Language", "Week"):
        assert part in headings
    for part in ("Worst misses", "Most often right", "Most often wrong", "Question of the conversation"):
        assert part in headings
    pictures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(pictures) == 4
    for picture in pictures:
        ElementTree.fromstring(picture)


def test_it_loads_nothing_and_runs_nothing(text):
    page = Page(text)
    tags = {tag for tag, _ in page.found}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    for _, attributes in page.found:
        assert not {"src", "href", "srcset", "action"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
    assert "url(" not in text and "@import" not in text
    policy = next(one["content"] for _, one in page.found if one.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")


def test_what_people_wrote_is_shown_and_never_obeyed(text):
    words = "".join(Page(text).words)
    assert '<script>alert(1)</script><img src="http://evil.example/x"> {{ 7 * 7 }} ' in words
    assert "\x1b" not in text and "\u202e" not in text
    # An answer of the desk with markup in it, shown as it is.
    assert "Send it back <b>free</b>." in words and "<b>" not in text


def test_the_surest_miss_comes_first_with_both_answers(text):
    rows = re.findall(r"<tr><td class=\"said\">.*?</tr>", text, re.DOTALL)
    assert "evil.example" in rows[0] and "99.0 %" in rows[0] and "Good-bye!" in rows[0]


def test_one_slow_turn_does_not_squeeze_the_others_into_one_bar():
    waits = np.append(np.random.default_rng(1).normal(120.0, 20.0, 199), 9_000.0)
    counts, low, high = waiting_bars(waits)
    assert 50 < low < 100 and 150 < high < 250
    assert sum(counts) == 200 and sum(count >= 5 for count in counts) > 8


def test_one_turn_and_no_turn_right_can_be_shown(tmp_path):
    bare = turn(0, 0, said=None, topic=None, language=None, week=None, wait=None, confidence=0.0)
    text = page_of(tmp_path, [bare])
    page = Page(text)
    assert not page.problems and "Topic" not in "".join(page.words)
    assert "nan" not in text.lower()


def test_what_there_is_nothing_to_tell_of_is_not_said_in_numbers(tmp_path):
    desk = desk_with_answers(tmp_path)
    run = store_run(desk, "run", [turn(place, 3, decision="handoff", wait=None) for place in range(4)])
    with desk.replays() as replays:
        report = report_of(replays, replays.run(str(run)))
    told = report.as_json()
    assert told["coverage"] == 0 and told["accuracy_when_answered"] is None and told["latency_ms"]["p50"] is None
    assert told["ece_excess"] == max(0, told["ece"] - told["ece_noise"]) and 0 < told["ece_p"] <= 1
    text = write_page(tmp_path, desk, report).read_text("utf-8")
    words = " ".join("".join(Page(text).words).split())
    assert "- rightly: nothing would be answered" in words and "0.0 % of these rightly" not in words
    assert "Median -, 95th percentile -" in words and "beyond chance (p" in words


def test_what_the_desk_has_forgotten_is_not_shown(tmp_path):
    text = page_of(tmp_path, [turn(0, 0, said=999)])
    assert "(no longer in the desk)" in text


def test_the_pages_of_two_desks_lie_beside_each_other(tmp_path):
    desk = desk_with_answers(tmp_path)
    shutil.copytree(desk.path, desk.path.with_name("other"))
    written = []
    for one in (desk, Desk.open(tmp_path, "other")):
        run = store_run(one, "run", [turn(0, 1)])
        with one.replays() as replays:
            written.append(write_page(tmp_path, one, report_of(replays, replays.run(str(run)))))
    assert [path.name for path in written] == ["replay-shop-1.html", "replay-other-1.html"]
    assert "desk shop" in written[0].read_text("utf-8") and "desk other" in written[1].read_text("utf-8")


def limited(desk, directory, size):
    """`attendant runs run --report` where a file can have so many bytes, as on a disk that is nearly full."""
    program = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    program += f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))\n"
    program += "from bot.cli import main\n"
    arguments = ["runs", "run", "--report", str(directory), "--desk", "shop", "--home", str(desk.home)]
    program += f"main({arguments!r})"
    return subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, cwd=ROOT)


def test_a_page_that_does_not_fit_on_the_disk_leaves_nothing_and_the_older_one_whole(tmp_path):
    desk, pages = desk_with_answers(tmp_path), tmp_path / "pages"
    run = store_run(desk, "run", [turn(place, 3, question="long " * 1_000) for place in range(40)])
    pages.mkdir()
    older = pages / f"replay-shop-{run}.html"
    older.write_text("older")
    ended = limited(desk, pages, 65_536)
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    assert f"attendant runs {run} --report {pages} --desk shop" in ended.stderr
    assert [path.name for path in pages.iterdir()] == [older.name] and older.read_text() == "older"


@pytest.mark.parametrize("command", [("replay", "log.jsonl"), ("runs", "run")])
def test_a_directory_that_takes_no_page_is_said_before_anything_is_done(tmp_path, capsys, monkeypatch, command):
    desk = desk_with_answers(tmp_path)
    store_run(desk, "run", [turn(0, 1)])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.jsonl").write_text("not looked into")
    for directory in ("log.jsonl/pages", "/proc"):
        with pytest.raises(SystemExit) as ended:
            main([*command, "--report", directory, "--desk", "shop", "--home", str(tmp_path)])
        _, err = capsys.readouterr()
        assert ended.value.code == 1 and f"{directory} takes no pages" in err and "Traceback" not in err
    with desk.replays() as replays:
        assert len(replays.runs()) == 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(-10, 10)), max_size=700), st.text(max_size=20))
def test_any_points_make_a_picture_within_its_frame(points, label):
    axis = Axis("across", 0.0, 1.0)
    safe = "".join(letter for letter in label if letter.isprintable())
    for picture in (lines(safe, axis, axis, [points], points[:5]), bars(safe, axis, axis, [y for _, y in points])):
        root = ElementTree.fromstring(str(picture))
        assert root.get("aria-label") == safe
        places = [
            tuple(map(float, one.split(","))) for line in root.iter("polyline") for one in line.get("points").split()
        ]
        assert all(0 <= x <= 420 and 0 <= y <= 280 for x, y in places)


def test_the_curve_in_the_picture_is_the_run_s(text):
    recall = next(part for part in re.findall(r"<svg.*?</svg>", text, re.DOTALL) if "Recall at k" in part)
    line = ElementTree.fromstring(recall).find("polyline[@class='line']")
    heights = [float(point.split(",")[1]) for point in line.get("points").split()]
    assert heights == sorted(heights, reverse=True), "recall rises with k"
    ranks = random_ranks(60, 0.6)
    ranks[3] = 0
    share = np.mean([rank == 1 for rank in ranks])
    assert heights[0] == pytest.approx(280 - 46 - share * (280 - 12 - 46), abs=0.1)
