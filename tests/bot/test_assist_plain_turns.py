"""`attendant assist` line by line while several customers speak in turn: who comes first, and who is meant."""

from __future__ import annotations

from test_assist_interleaved import SUE, Followed, path, plain, printed, write

from bot import assist_plain

__all__ = ["path", "printed"]


def test_of_a_long_past_the_newest_who_wait_come_first_and_of_the_others_only_warnings(path, printed, monkeypatch):
    monkeypatch.setattr(assist_plain, "MOST_OF_PAST", 3)
    write(path, ("angry", "customer", SUE), *((f"c-{number}", "customer", f"{number}?") for number in range(9)))
    write(path, ("calm", "customer", "hello?"), ("calm", "agent", "Here."))
    helped = plain(as_json=True)
    with Followed(helped, path) as followed:
        of_angry, *lists = printed()
        assert of_angry["conversation"] == "angry" and "suggestions" not in of_angry
        assert [line["question"] for line in lists] == ["8?", "7?"], "the present one, calm, is one of the three"
        write(path, ("c-1", "customer", "still there?"))
        followed.catch_up()
        assert [line["question"] for line in printed()] == ["1?\nstill there?"]


def test_of_a_past_of_more_dialogues_than_are_kept_none_is_searched_for_while_it_is_read(path, monkeypatch):
    monkeypatch.setattr(assist_plain, "MOST_KEPT", 3)
    write(path, *((f"c-{number}", "customer", f"{number}?") for number in range(9)))
    helped = plain()
    with Followed(helped, path):
        assert [call.turns[-1].text for call in helped.pipeline.calls] == ["8?", "7?", "6?"]
