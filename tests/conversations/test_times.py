"""Times as exports write them."""

import pytest
from logs_for_tests import conversation_row, read, said, write_jsonl

from conversations.importing import import_logs
from conversations.moments import as_iso, day_comes_first, read_moment


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("1788337860", "2026-09-02T08:31:00+00:00"),
        ("1788337860.0", "2026-09-02T08:31:00+00:00"),
        ("1788337860000", "2026-09-02T08:31:00+00:00"),
        ("1712121212345", "2024-04-03T05:13:32.345000+00:00"),
        ("2026-09-02 08:31:00 UTC", "2026-09-02T08:31:00+00:00"),
        ("2026-09-02 08:31:00GMT", "2026-09-02T08:31:00+00:00"),
        ("2026/09/02 08:31", "2026-09-02T08:31:00"),
        ("2.9.2026 8:31", "2026-09-02T08:31:00"),
        ("2026-09-02T08:31:00Z", "2026-09-02T08:31:00Z"),
        ("2026-09-02", "2026-09-02"),
        ("02/09/2026 08:31", None),
        ("31.2.2026", None),
        ("17", None),
        ("yesterday", None),
    ],
)
def test_a_time_is_read_however_it_is_written(written, iso):
    assert as_iso(written) == iso
    assert iso is None or read_moment(iso)


def test_which_of_day_and_month_comes_first_is_told_by_a_time_that_leaves_no_doubt():
    assert as_iso("02/09/2026 08:31", day_first=True) == "2026-09-02T08:31:00"
    assert as_iso("9/2/2026 8:31:05 PM", day_first=False) == "2026-09-02T20:31:05"
    assert as_iso("9/2/2026 12:01 am", day_first=False) == "2026-09-02T00:01:00"
    assert day_comes_first(["02/09/2026", "25/09/2026 08:31"]) is True
    assert day_comes_first(["02/09/2026", "09/25/2026"]) is False
    assert day_comes_first(["02/09/2026"]) is None
    assert day_comes_first(["25/09/2026", "09/25/2026", "soon"]) is None


def test_turns_of_a_table_stand_in_the_order_of_their_times(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(
        "id,role,text,created_at\nb,agent,Yes.,25/09/2026 08:33\nb,agent,Let me look.,25/09/2026 08:33\n"
        "b,customer,Open?,25/09/2026 08:31\na,customer,Hi,02/09/2026 08:31\na,agent,Hello,02/09/2026 08:30\n"
        "c,agent,Hm,02/09/2026 08:31\nc,customer,Well,then\n"
    )
    (b, a, c), _ = read(path)
    assert [text for _, text in said(b)] == ["Open?", "Let me look.", "Yes."], "newest first, also within a minute"
    assert [text for _, text in said(a)] == ["Hello", "Hi"]
    assert a.turns[0].at == "2026-09-02T08:30:00"
    assert [text for _, text in said(c)] == ["Hm", "Well"], "where a time is not read the log's order stays"


@pytest.mark.parametrize("as_list", [False, True])
def test_times_of_json_are_read_by_the_file_too(tmp_path, as_list):
    first, second = conversation_row("a", "Hi on 12/25/2026", "Hello"), conversation_row("b", "Hi", "Hello")
    first["turns"][0]["at"] = "02/09/2026 08:31"
    first["turns"][1]["at"] = 1788337860
    second["turns"][0]["at"] = "25/09/2026 08:31"
    path = write_jsonl(tmp_path / "log", first, second)
    if as_list:
        path.write_text(f"[{','.join(path.read_text().splitlines())}]")
    (one, two), _ = read(path)
    assert [turn.at for turn in one.turns] == ["2026-09-02T08:31:00", "2026-09-02T08:31:00+00:00"]
    assert two.turns[0].at == "2026-09-25T08:31:00"


def test_an_import_counts_the_times_that_it_did_not_understand(store, tmp_path):
    row = conversation_row("a", "Hi", "Hello", "Bye", "Bye")
    for turn, at in zip(row["turns"], ["02/09/2026", "soon", 1788337860, None], strict=True):
        turn["at"] = at
    report = import_logs(store, [write_jsonl(tmp_path / "log", row)], rejects_dir=tmp_path)
    assert report.unread_times == 2
    assert [turn.at for turn in store.conversation("a").turns][:2] == ["02/09/2026", "soon"]
