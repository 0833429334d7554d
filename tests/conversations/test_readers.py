import gzip
import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from logs_for_tests import conversation_row, read, said, write_jsonl

from conversations.errors import LogError
from conversations.model import Conversation
from conversations.readers import Rejected, log_files, read_log, read_logs
from conversations.readers.log_file import LONGEST_LINE


def test_json_lines(tmp_path):
    row = conversation_row("a", "Hi", "Hello", language="en", customer="c1", meta={"k": ["v\x1b[2J"]})
    row["turns"][1] |= {"agent": "Priya", "at": "2026-01-01T00:00:00Z", "action": "greet", "suggested": ["x"]}
    (conversation,), rejected = read(write_jsonl(tmp_path / "any.name", row))
    assert rejected == []
    assert conversation.id == "a"
    assert conversation.customer == "c1"
    assert conversation.meta == {"k": ["v"]}
    assert conversation.turns[1].agent == "Priya"
    assert conversation.turns[1].action == "greet"


def test_the_name_of_a_file_does_not_matter(tmp_path):
    path = write_jsonl(tmp_path / "log.csv", conversation_row("a", "Hi", "Hello"))
    assert read(path)[0][0].id == "a"
    packed = tmp_path / "log.txt"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read(packed)[0][0].id == "a"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_marked_encodings(tmp_path, encoding):
    path = tmp_path / "log"
    path.write_bytes(
        (json.dumps(conversation_row("a", "Größe?", "你好"), ensure_ascii=False) + "\n").encode(encoding)
    )
    (conversation,), rejected = read(path)
    assert said(conversation) == [("customer", "Größe?"), ("agent", "你好")]
    assert rejected == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": "x", "turns": [', "broken JSON"),
        ("plain words", "broken JSON"),
        ("[1, 2]", "not an object"),
        ('{"id": "x"}', "no turns"),
        ('{"id": "x", "turns": []}', "no turn has a text"),
        ('{"id": "x", "turns": "hello"}', "not a list"),
        ('{"id": "x", "turns": ["hello"]}', "turn 1: it is not an object"),
        ('{"id": "x", "turns": [{"role": "wizard", "text": "a"}]}', "unknown role 'wizard'"),
        ('{"id": "x", "turns": [{"text": "a"}]}', "unknown role"),
        ('{"id": "x", "turns": [{"role": "agent", "text": 5}]}', "not text"),
        ('{"question": "q"}', "no answer"),
        ('{"question": "q", "answers": [1], "pool": [1]}', "answer-selection"),
        ('{"id": NaN, "turns": []}', "NaN"),
        ("[" * 100_000, "broken JSON"),
        ('{"turns": [{"role": "agent", "text": "a"}], "meta": {"k": ' + "[" * 600 + "]" * 600 + "}}", "too deeply"),
        ('{"id": "x", "turns": ' + "9" * 5_000 + "}", "broken JSON"),
    ],
)
def test_a_bad_line_is_rejected_with_its_place_and_the_rest_is_read(tmp_path, line, reason):
    path = write_jsonl(tmp_path / "log", conversation_row("a", "Hi", "Hello"))
    with path.open("a") as stream:
        stream.write(line + "\n" + json.dumps(conversation_row("b", "Hi", "Hello")) + "\n")
    conversations, (rejected,) = read(path)
    assert [conversation.id for conversation in conversations] == ["a", "b"]
    assert rejected.line == 2
    assert reason in rejected.reason
    assert rejected.raw == line[:2_000]
    assert rejected.file == str(path)


@pytest.mark.parametrize("depth", [100, 500, 900])
@pytest.mark.parametrize("as_list", [False, True])
def test_a_row_of_which_a_part_is_nested_too_deeply_is_rejected(tmp_path, depth, as_list):
    path = write_jsonl(tmp_path / "log", conversation_row("a", "Hi", "Hello"), conversation_row("b", "Hi", "Hello"))
    first, second = path.read_text().splitlines()
    deep = f'{first[:-1]}, "meta": {{"k": {"[" * depth}{"]" * depth}}}}}'
    path.write_text(f"[{deep}, {second}]" if as_list else f"{deep}\n{second}\n")
    (conversation,), (rejected,) = read(path)
    assert conversation.id == "b"
    assert "nested" in rejected.reason and rejected.line == 1


def test_synonyms_of_roles_and_system_messages(tmp_path):
    row = {
        "id": 5,
        "messages": [
            {"role": "User", "content": "Hi"},
            {"role": "system", "content": "Priya joined"},
            {"role": "Assistant", "content": "Hello"},
        ],
    }
    (conversation,), _ = read(write_jsonl(tmp_path / "log", row))
    assert said(conversation) == [("customer", "Hi"), ("agent", "Hello")]
    assert conversation.id == "5"


def test_a_conversation_without_id_is_named_after_what_was_said(tmp_path):
    row = conversation_row("a", "Hi", "Hello")
    del row["id"]
    other = conversation_row("a", "Hi", "Bye")
    del other["id"]
    names = [conversation.id for conversation in read(write_jsonl(tmp_path / "log", row, row, other))[0]]
    assert names[0] == names[1] != names[2]


def test_a_line_that_is_not_utf8_and_one_that_is_huge(tmp_path):
    path = tmp_path / "log"
    good = json.dumps(conversation_row("a", "Hi", "Hello")).encode()
    path.write_bytes(
        good + b'\n{"id": "caf\xe9"}\n' + b"x" * (LONGEST_LINE + 70_000) + b"\n" + good.replace(b'"a"', b'"b"')
    )
    conversations, rejected = read(path)
    assert [conversation.id for conversation in conversations] == ["a", "b"]
    assert [(item.line, item.reason.split(";")[0]) for item in rejected] == [
        (2, "byte 0xe9 at 12 is not UTF-8"),
        (3, "the line is longer than 10,000,000 bytes"),
    ]
    assert len(rejected[1].raw) == 2_000


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"\x1c\n\xc2\x85", "empty"),
        (b"\x7fELF\x00\x00", "binary"),
        (b"PK\x03\x04rest", "ZIP"),
        (b"SQLite format 3\x00", "SQLite"),
        (b"%PDF-1.7", "PDF"),
        (b"\x1f\x8b\x08broken", "damaged gzip"),
        (b"once upon a time\n\x1b[2J", "neither JSON Lines nor a table"),
        (b"name,colour\nx,y\n", "neither JSON Lines nor a table"),
        (b"[1, 2", "one JSON document"),
    ],
)
def test_a_file_that_is_no_log_is_said_with_a_remedy(tmp_path, content, reason):
    path = tmp_path / "log"
    path.write_bytes(content)
    with pytest.raises(LogError, match=reason) as error:
        list(read_log(path))
    assert error.value.remedy
    assert str(path) in error.value.message
    assert "\x1b" not in str(error.value)


def test_missing_files_and_empty_directories(tmp_path):
    with pytest.raises(LogError, match="does not exist"):
        list(read_logs([tmp_path / "nothing"]))
    with pytest.raises(LogError, match="no files"):
        log_files([tmp_path])


def test_a_small_json_list_is_read(tmp_path):
    path = tmp_path / "log"
    path.write_text(json.dumps([conversation_row("a", "Hi", "Hello"), {"id": "b"}], indent=2))
    conversations, rejected = read(path)
    assert [conversation.id for conversation in conversations] == ["a"]
    assert "item 2" in rejected[0].reason


def test_a_gzip_file_that_breaks_off_keeps_what_came_before(tmp_path):
    path = tmp_path / "log.gz"
    lines = "".join(json.dumps(conversation_row(f"c{n}", f"Hi {n * 7919}", "Hello")) + "\n" for n in range(5_000))
    packed = gzip.compress(lines.encode())
    path.write_bytes(packed[: len(packed) * 3 // 4])
    conversations, rejected = read(path)
    assert len(conversations) > 1_000
    assert "damaged" in rejected[-1].reason


def test_faq_tables_in_any_dress(tmp_path):
    for content in (
        "Question,Answer\nOpen?,Till 6\n",
        "answer;QUESTION\nTill 6;Open?\n",
        "﻿id\tQ\tA\n1\tOpen?\tTill 6\n",
    ):
        path = tmp_path / "faq"
        path.write_text(content, encoding="utf-8")
        (conversation,), rejected = read(path)
        assert said(conversation) == [("customer", "Open?"), ("agent", "Till 6")]
        assert rejected == []


def test_faq_rows_that_are_wrong(tmp_path):
    path = tmp_path / "faq"
    path.write_bytes(b'question,answer\nq,\nq,a,b\nq,caf\xe9\n"two\nlines",good\n')
    (conversation,), rejected = read(path)
    assert said(conversation)[0][1] == "two\nlines"
    assert [item.line for item in rejected] == [2, 3, 4]


def test_rows_of_a_conversation_need_not_be_together(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(
        "Conversation ID,Speaker,Message,Timestamp,Agent\n"
        "a,customer,Hi,1,\nb,user,Hey,2,\na,agent,Hello,3,Priya\nb,support,Yes?,4,Tom\nc,alien,x,5,\n,agent,y,6,\n"
    )
    conversations, rejected = read(path)
    assert [(conversation.id, said(conversation)) for conversation in conversations] == [
        ("a", [("customer", "Hi"), ("agent", "Hello")]),
        ("b", [("customer", "Hey"), ("agent", "Yes?")]),
    ]
    assert conversations[0].turns[1].agent == "Priya"
    assert sorted(item.line for item in rejected) == [6, 7]


def test_directories_are_walked_and_strange_files_in_them_rejected(tmp_path):
    (tmp_path / "deep").mkdir()
    write_jsonl(tmp_path / "deep" / "b.jsonl", conversation_row("b", "Hi", "Hello"))
    write_jsonl(tmp_path / "a.jsonl", conversation_row("a", "Hi", "Hello"))
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\x00")
    (tmp_path / ".hidden").write_text("x")
    positions = []
    items = list(read_logs([tmp_path], positions.append))
    assert [item.id for item in items if isinstance(item, Conversation)] == ["a", "b"]
    assert [item.line for item in items if isinstance(item, Rejected)] == [0]
    assert positions == sorted(positions)
    assert positions[-1] == sum(path.stat().st_size for path in log_files([tmp_path]))


def test_a_named_file_that_is_wrong_stops_before_anything_is_read(tmp_path):
    good = write_jsonl(tmp_path / "a", conversation_row("a", "Hi", "Hello"))
    with pytest.raises(LogError):
        next(read_logs([good, tmp_path / "missing"]))
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(LogError, match="neither JSON Lines nor a table"):
        next(read_logs([good, tmp_path / "notes.txt"]))


def test_a_long_log_is_not_held_in_memory(tmp_path):
    import tracemalloc

    path = tmp_path / "log"
    line = json.dumps(conversation_row("a", "word " * 2_000, "Hello")) + "\n"
    path.write_text(line * 3_000)
    tracemalloc.start()
    assert sum(1 for _ in read_log(path)) == 3_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000 < path.stat().st_size


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.binary(max_size=400), st.sampled_from([b"", b"{", b"question,answer\n", b"id,role,text\n", b"[", b"\xff\xfe"])
)
@example(b"\r\x01", b"question,answer\n")
def test_no_bytes_bring_a_reader_down(tmp_path, content, start):
    path = tmp_path / "log"
    path.write_bytes(start + content)
    try:
        for item in read_log(path):
            assert isinstance(item, (Conversation, Rejected))
    except LogError as error:
        assert error.remedy
