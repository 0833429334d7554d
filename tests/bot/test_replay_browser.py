"""The page of a real replay, opened in a real browser without a window and without a network."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess

import pytest
from lamp_desk import RESET, lamp_desk, write_log

from bot.pipeline import Pipeline
from bot.replay import replay
from bot.replay_page import write_page

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MARK = "obeyed"
HOSTILE = (
    f"</td></table><script>document.title='{MARK}'</script><img src=x onerror=\"document.title='{MARK}'\">"
    f"<svg onload=document.title='{MARK}'></svg> \x1b]52;c;aGVsbG8=\x07 {{{{ 7 * 7 }}}}"
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no chromium on the PATH to open the page with"),
]


def hostile_log(path):
    rows = []
    for number in range(8):
        at = f"2025-06-0{1 + number}T10:00:00Z"
        said = [("customer", f"{HOSTILE} my lamp {number} stays dark"), ("agent", RESET if number % 2 else HOSTILE)]
        turns = [{"role": role, "text": text, "at": at} for role, text in said]
        about = {"language": "<b>en</b>", "meta": {"topic": HOSTILE}}
        rows.append({"id": f"c{number}{HOSTILE}", "turns": turns, **about})
    return write_log(path, rows)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of a replay on a desk that has learned hostile answers too, and the figures in it."""
    home = tmp_path_factory.mktemp("browser")
    desk = lamp_desk(home, hostile_log(home / "past.jsonl"))
    log = hostile_log(home / "<script>.jsonl")
    with Pipeline.open(desk) as pipeline:
        report = replay(pipeline, [log], name="hostile")
    return write_page(home, desk, report), report


def browse(page, tmp_path, *wanted):
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    command += ["--disable-background-networking", f"--user-data-dir={tmp_path / 'profile'}", *wanted, page.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True, cwd=tmp_path)
    return done.stdout.decode("utf-8"), done.stderr.decode("utf-8", "replace")


def test_the_browser_shows_the_figures_and_obeys_nothing_of_the_log(page, tmp_path):
    path, report = page
    dom, said = browse(path, tmp_path, "--enable-logging=stderr", "--dump-dom")
    body = dom.partition("<body>")[2]
    tags = set(re.findall(r"<([a-z0-9]+)", body))
    assert not tags & {"script", "img", "iframe", "object", "embed", "link", "b"}
    assert dom.count("<svg") == body.count('role="img"') == 4
    assert "onload=" not in "".join(re.findall(r"<[^>]*>", dom))
    for figure in (report.recall_at_1, report.recall_at_5, report.decided.coverage, report.decided.careful_coverage):
        assert f"<strong>{100 * figure:.1f} %</strong>" in body
    assert f"<strong>{report.turns}</strong>" in body
    assert MARK not in re.search(r"<title>(.*?)</title>", dom).group(1)
    assert "&lt;script&gt;document.title='obeyed'&lt;/script&gt;&lt;img src=x" in body and "{{ 7 * 7 }}" in body
    assert "&lt;svg onload=" in body and "\x1b" not in dom
    assert "Refused to" not in said and "ERR_" not in said and "CONSOLE" not in said


def test_the_browser_draws_a_page_that_is_not_empty(page, tmp_path):
    picture = tmp_path / "page.png"
    browse(page[0], tmp_path, f"--screenshot={picture}", "--window-size=900,1400")
    content = picture.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", content[16:24]) == (900, 1400)
    assert len(content) > 40_000, "a blank page of this size has some 5 kB"
