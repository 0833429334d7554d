"""Rows of tables: quotation marks that close, that do not, and that are none."""

import tempfile

import pytest
from logs_for_tests import read, said

from conversations.readers import read_log


def table(tmp_path, content):
    path = tmp_path / "log"
    path.write_text(content, encoding="utf-8")
    return read(path)


def pairs(conversations):
    return [tuple(text for _, text in said(one)) for one in conversations]


def test_a_quotation_mark_that_is_never_closed_costs_its_own_line_only(tmp_path):
    conversations, rejected = table(tmp_path, 'question,answer\n"never closed,a\nq,a\n"Sofa, red?",yes\nlast,one\n')
    assert pairs(conversations) == [("q", "a"), ("Sofa, red?", "yes"), ("last", "one")]
    assert [(item.line, item.raw) for item in rejected] == [(2, '"never closed,a')]
    assert "quotation mark" in rejected[0].reason
    conversations, rejected = table(tmp_path, 'question,answer\nq,"never closed\nq2,a2\n')
    assert pairs(conversations) == [("q2", "a2")]
    assert [item.line for item in rejected] == [2]


def test_quoted_texts_keep_their_blank_lines_quotes_and_delimiters(tmp_path):
    conversations, rejected = table(
        tmp_path, 'question,answer\n\n"Hi,\n\nmy ""new"" lamp?","Yes,\n\nit is."\n\nq,"a" \n"one",two\n'
    )
    assert pairs(conversations) == [('Hi,\n\nmy "new" lamp?', "Yes,\n\nit is."), ("q", "a"), ("one", "two")]
    assert rejected == []


def test_a_row_after_a_line_that_is_no_text_is_read(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b'question,answer\nq,"open\ncaf\xe9\nq2,a2\n')
    conversations, rejected = read(path)
    assert pairs(conversations) == [("q2", "a2")]
    assert [item.line for item in rejected] == [2, 3]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ('"hello', '"hello'),
        ('say "hello', 'say "hello'),
        ('5" or 6"', '5" or 6"'),
        ('"five" or "six"', '"five" or "six"'),
        ('"well, ""yes"""', 'well, "yes"'),
        ('"tab\there"', "tab here"),
        ('"two\n\nlines"', "two\n\nlines"),
    ],
)
def test_in_a_tsv_a_text_is_in_quotes_only_where_it_begins_and_ends_with_one(tmp_path, row, text):
    conversations, rejected = table(
        tmp_path,
        f'id\trole\ttext\nc1\tcustomer\t{row}\nc1\tagent\tfine "\nc2\tcustomer\t"Lamp?"\nc2\tagent\tno "idea"\n',
    )
    assert [said(one) for one in conversations] == [
        [("customer", text), ("agent", 'fine "')],
        [("customer", "Lamp?"), ("agent", 'no "idea"')],
    ]
    assert rejected == []


@pytest.mark.timeout(60)
def test_many_open_quotation_marks_are_read_in_one_go(tmp_path):
    content = "question,answer\n" + 'q,"open\n' * 30_000 + "q,a\n" * 30_000
    conversations, rejected = table(tmp_path, content)
    assert (len(conversations), len(rejected)) == (30_000, 30_000)


def test_what_a_table_says_lies_in_no_file_that_a_kill_would_leave(tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for name in ("TMPDIR", "SQLITE_TMPDIR"):
        monkeypatch.setenv(name, str(scratch))
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    log = tmp_path / "log.csv"
    said = "a word of Margaret's " * 50
    log.write_text("id,role,text\n" + "".join(f"c{n},customer,{said}\nc{n},agent,fine\n" for n in range(5_000)))
    items = read_log(log)
    next(items)
    assert list(scratch.iterdir()) == []
    assert sum(1 for _ in items) == 4_999
