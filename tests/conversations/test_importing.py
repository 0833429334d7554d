import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from logs_for_tests import conversation_row, write_jsonl

from conversations.errors import DeskError, LogError
from conversations.importing import import_logs
from conversations.store import Store

ROOT = Path(__file__).resolve().parents[2]
STAR = ROOT.parent / "shared" / "data" / "star" / "dev.jsonl.gz"


def test_an_import_and_the_same_again(store, tmp_path):
    log = write_jsonl(
        tmp_path / "log",
        conversation_row("a", "I'm Margaret Hollis, where is LW-4821735?", "On its way.", customer="c-1"),
        conversation_row("b", "Hi", "On its way!"),
    )
    report = import_logs(store, [log], redact=True, rejects_dir=tmp_path / "rejects")
    assert (report.conversations, report.turns, report.pairs, report.answers) == (2, 4, 2, 1)
    assert (report.redactions, report.rejected, report.rejects_file, report.unchanged) == (2, 0, None, 0)
    assert store.conversation("a").turns[0].text == "I'm <NAME>, where is LW-0000000?"
    assert store.setting("redact") is True
    ids = store.pair_ids().tolist()
    again = import_logs(store, [log, log], redact=True, rejects_dir=tmp_path / "rejects")
    assert (again.conversations, again.pairs, again.answers, again.unchanged) == (0, 0, 0, 4)
    assert store.pair_ids().tolist() == ids


def test_a_grown_conversation_replaces_itself(store, tmp_path):
    import_logs(store, [write_jsonl(tmp_path / "one", conversation_row("a", "Hi", "Hello"))], rejects_dir=tmp_path)
    grown = write_jsonl(tmp_path / "two", conversation_row("a", "Hi", "Hello", "Lamp?", "Yes."))
    report = import_logs(store, [grown], rejects_dir=tmp_path)
    assert (report.conversations, report.unchanged, store.counts()["conversations"]) == (1, 0, 1)
    assert store.counts()["pairs"] == 2


def without_id(*said, at=None, **more):
    row = conversation_row("", *said, **more)
    del row["id"]
    row["turns"] = [turn | ({"at": at} if at else {}) for turn in row["turns"]]
    return row


def test_a_grown_conversation_without_an_id_replaces_itself(store, tmp_path):
    for said in (["Hi, I'm Margaret Hollis"], ["Hi, I'm Margaret Hollis", "Hello", "Lamp?"]):
        import_logs(store, [write_jsonl(tmp_path / "log", without_id(*said))], rejects_dir=tmp_path)
    whole = write_jsonl(tmp_path / "log", without_id("Hi, I'm Margaret Hollis", "Hello", "Lamp?", "Yes."))
    assert import_logs(store, [whole], rejects_dir=tmp_path).conversations == 1
    assert [len(one.turns) for one in store.conversations()] == [4]
    assert (store.counts()["pairs"], import_logs(store, [whole], rejects_dir=tmp_path).unchanged) == (2, 1)


@pytest.mark.parametrize("other", [{"at": "2026-03-01T10:00:00Z"}, {"customer": "c-2"}, {"source": "mail"}])
def test_another_customer_who_began_in_the_same_words_is_kept(store, tmp_path, other):
    first = {"at": "2026-03-01T09:00:00Z", "customer": "c-1", "source": "chat"}
    rows = without_id("Hi", "Hello", **first), without_id("Hi", "Hello", "Lamp?", "Yes.", **(first | other))
    import_logs(store, [write_jsonl(tmp_path / "log", *rows)], rejects_dir=tmp_path)
    assert sorted(len(one.turns) for one in store.conversations()) == [2, 4]


def test_conversations_without_ids_that_begin_alike_in_one_log_are_two_and_again_nothing_new(store, tmp_path):
    rows = without_id("Hi", "Hello"), without_id("Hi", "Hello", "Lamp?", "Yes.")
    log = write_jsonl(tmp_path / "log", *rows)
    assert import_logs(store, [log], rejects_dir=tmp_path).conversations == 2
    assert import_logs(store, [log], rejects_dir=tmp_path).unchanged == 2


def test_the_same_id_in_one_file_with_the_same_and_with_more_content(store, tmp_path):
    short, longer = conversation_row("a", "Hi", "Hello"), conversation_row("a", "Hi", "Hello", "Lamp?", "Yes.")
    report = import_logs(store, [write_jsonl(tmp_path / "log", short, short, longer)], rejects_dir=tmp_path)
    assert report.unchanged == 1
    assert len(store.conversation("a").turns) == 4


def test_without_redaction_text_stays_and_the_report_warns(store, tmp_path):
    log = write_jsonl(tmp_path / "log", conversation_row("a", "I'm Margaret Hollis", "Hello", customer="c-1"))
    report = import_logs(store, [log], redact=False, rejects_dir=tmp_path)
    assert report.redactions == 0
    assert "Personal data" in report.warning
    assert store.conversation("a").turns[0].text == "I'm Margaret Hollis"
    assert store.setting("redact") is False
    assert import_logs(store, [log], redact=True, rejects_dir=tmp_path).conversations == 1
    assert store.conversation("a").turns[0].text == "I'm <NAME>"


def test_what_cannot_be_used_is_kept_with_its_place(store, tmp_path):
    log = write_jsonl(tmp_path / "log", conversation_row("a", "Hi", "Hello"))
    with log.open("a") as stream:
        stream.write("broken from margaret@example.com " + "x" * 9_000 + "\n")
    report = import_logs(store, [log], rejects_dir=tmp_path / "rejects")
    (kept,) = [json.loads(line) for line in Path(report.rejects_file).read_text().splitlines()]
    assert report.rejected == 1
    assert (kept["file"], kept["line"]) == (str(log), 2)
    assert "broken JSON" in kept["reason"]
    assert len(kept["raw"]) <= 2_000
    assert "margaret" not in kept["raw"]


def test_a_conversation_that_nobody_answered_is_kept_and_gives_no_pairs_until_it_is_answered(store, tmp_path):
    unanswered = conversation_row("b", "Is anybody there?", customer="c-1")
    log = write_jsonl(tmp_path / "one", conversation_row("a", "Hi", "Hello"), unanswered)
    report = import_logs(store, [log], rejects_dir=tmp_path / "rejects")
    assert (report.conversations, report.unanswered, report.pairs, report.rejected) == (2, 1, 1, 0)
    assert [turn.text for turn in store.conversation("b").turns] == ["Is anybody there?"]
    answered = write_jsonl(tmp_path / "two", conversation_row("b", "Is anybody there?", "Yes.", customer="c-1"))
    report = import_logs(store, [answered], rejects_dir=tmp_path / "rejects")
    assert (report.conversations, report.unanswered, report.pairs, report.rejected) == (1, 0, 1, 0)
    assert store.counts()["conversations"] == store.counts()["pairs"] == 2


def test_nothing_but_rejects(store, tmp_path):
    log = tmp_path / "log"
    log.write_text('{"id": 1}\n{"id": 2}\n')
    with pytest.raises(LogError, match="None of the 2 rows") as error:
        import_logs(store, [log], rejects_dir=tmp_path / "rejects")
    (kept,) = (tmp_path / "rejects").iterdir()
    assert str(kept) in error.value.remedy


def test_a_full_disk_in_an_import_keeps_whole_conversations(store, tmp_path):
    log = write_jsonl(
        tmp_path / "log", *(conversation_row(f"c{n}", f"word {n} " * 90, f"answer {n} " * 90) for n in range(2_000))
    )
    store._file.rows("PRAGMA max_page_count = 900")
    with pytest.raises(DeskError, match="no room"):
        import_logs(store, [log], redact=False, rejects_dir=tmp_path)
    store._file.rows("PRAGMA max_page_count = 1000000")
    kept = store.counts()
    assert kept["conversations"] % 500 == 0
    assert kept["pairs"] == kept["conversations"]
    report = import_logs(store, [log], redact=False, rejects_dir=tmp_path)
    assert report.unchanged == kept["conversations"]
    assert store.counts()["conversations"] == 2_000
    assert store.problems() == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL on this system")
@pytest.mark.parametrize("moment", [0.0, 0.05, 0.4])
def test_a_killed_import_leaves_whole_conversations_and_can_go_on(tmp_path, moment):
    texts = ("question {} one", "answer {} one", "question {} two", "answer {} two")
    rows = [conversation_row(f"c{n}", *(text.format(n) for text in texts)) for n in range(6_000)]
    log = write_jsonl(tmp_path / "log", *rows)
    database = tmp_path / "desk.sqlite"
    script = textwrap.dedent(f"""
        from pathlib import Path
        from conversations.importing import import_logs
        from conversations.store import Store
        store = Store(Path({str(database)!r}))
        print("started", flush=True)
        import_logs(store, [{str(log)!r}], redact=False, rejects_dir=Path({str(tmp_path)!r}))
    """)
    child = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE)
    assert child.stdout.readline()
    with Store(database) as watching:
        while watching.counts()["conversations"] < 500 and child.poll() is None:
            time.sleep(0.01)
    time.sleep(moment)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with Store(database) as store:
        counts = store.counts()
        assert 500 <= counts["conversations"] < 6_000
        assert counts["turns"] == 4 * counts["conversations"]
        assert counts["pairs"] == 2 * counts["conversations"]
        assert store.problems() == []
        report = import_logs(store, [log], redact=False, rejects_dir=tmp_path)
        assert report.unchanged == counts["conversations"]
        assert store.counts()["conversations"] == 6_000


@pytest.mark.skipif(not STAR.exists(), reason="the STAR data set is not beside the repository")
def test_real_service_dialogues(store, tmp_path):
    report = import_logs(store, [STAR], rejects_dir=tmp_path)
    assert report.conversations == 610
    assert report.rejected == 0
    assert report.answers < report.pairs / 2
    assert any(turn.action for turn in store.conversation("star-2").turns)


def test_an_import_that_brings_nothing_leaves_de_identification_as_it_was(store, tmp_path):
    log = write_jsonl(tmp_path / "log", conversation_row("a", "Hi", "Hello"))
    import_logs(store, [log], redact=True, rejects_dir=tmp_path)
    (tmp_path / "broken.csv").write_text("this is no log\n")
    with pytest.raises(LogError):
        import_logs(store, [tmp_path / "broken.csv"], redact=False, rejects_dir=tmp_path)
    assert store.setting("redact") is True


def test_an_import_of_what_is_there_leaves_de_identification_as_it_was(store, tmp_path):
    one = write_jsonl(tmp_path / "one", conversation_row("a", "Hi", "Hello"))
    other = write_jsonl(tmp_path / "two", conversation_row("b", "Hi", "Hello"))
    import_logs(store, [one], redact=True, rejects_dir=tmp_path)
    import_logs(store, [other], redact=False, rejects_dir=tmp_path)
    assert import_logs(store, [one], redact=True, rejects_dir=tmp_path).unchanged == 1
    assert store.setting("redact") is False
