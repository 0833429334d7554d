"""Ids of conversations that hold personal data: which do, and how a desk stores them and finds them again."""

import base64
import json
import random
import uuid
from pathlib import Path

import pytest
from earlier_desks import keep_as_logged
from logs_for_tests import conversation_row, write_jsonl

from conversations.importing import import_logs
from conversations.known_ids import KnownIds
from conversations.privacy import Redactor, redactor_of

MAIL, PHONE = "jane.doe@example.com", "+44 7911 123456"
OWN = Redactor("salt")


@pytest.mark.parametrize(
    "name",
    [
        *(MAIL, f"{MAIL}-3", "sip:user@host", "14155552671@s.whatsapp.net", "faq.csv:jane@example.com"),
        *("jane%40example.com", "mailto:jane%40example.com/3", "张伟@qq.com", "chat with jane@example.com, 2026"),
        *(PHONE, "+447911123456", "07911 123456", "+44 (0)7911 123456", "0044 7911 123456", "001-212-555-1234"),
        *("+1-555-123-4567", "1-212-555-1234", "212-555-1234", "212.555.1234", "(212) 555-1234", "(020)79460958"),
        *("%2B14155552671", "whatsapp:+14155552671", "tel:%2B1%20415%20555%202671", "chat-+447911123456"),
        *("sms/07911 123456", "chat_07911 123456_2", "+14155552671-15", "+14155552671_3", "+14155552671-chat"),
        *("212-555-1234_15", "chat 07911 123456", "138-1234-5678", "06 12 34 56 78"),
    ],
)
def test_an_id_that_holds_personal_data_becomes_a_pseudonym(name):
    stored = OWN.stored_id(name)
    assert stored == OWN.stored_id(name) != OWN.stored_id(f"{name} 2")
    assert not any(part in stored for part in (name, name[-4:], "jane"))
    assert OWN.stored_id(stored) == stored, "doing it twice changes nothing"
    assert Redactor("another").stored_id(name) != stored


@pytest.mark.parametrize(
    "name",
    [
        *("SNG01856", "c1", "42", "LW-4821735", "ORD-2024-000123", "#48213", "EE050318A"),
        *("123-45-6789", "078-05-1120", "0514-7358-6984-5702", "(2024) 000123", "C024BE91L/1712345678.000200"),
        *("4821735", "2125551234", "447911123456", "07911123456", "02079460958", "13812345678", "00447911123456"),
        *("1697040000", "1697040000123", "0000012345", "110101199003078515", "4111111111111111", "ticket_0608400800"),
        *("20240301-120001", "2024-03-01T12:00:01Z", "chat_20240301_77", "chat_2025-11-03T10:22:31Z"),
        *("2026-05-21-0012", "20261115_0175985746", "2026-05-21T10:22:31+00:00", "05-21-2026-0012", "10.0.12.200"),
        *("83333218-bd91-a1b7-f03e-dca7e2dcaa37", "08197b07-6d07-1dd5-d157-015401422981"),
        *("tweet-1697040000123456789", "log-09424001193ab40f", "0220411768e24a75db0220cc", "orders.csv:12"),
        *("ORD-212-555-1234", "212-555-1234-a", "x07911 123456", "a+14155552671", "+14155552671b"),
        *("Delivery Questions.csv:3", "billing/late parcel", "@acme 12", "star-7", "chat with Margaret Hollis"),
    ],
)
def test_other_ids_stay_as_they_are(name):
    assert OWN.stored_id(name) == name


def test_ids_that_are_drawn_by_lot_or_counted_stay_as_they_are():
    draw = random.Random(5)

    def digits(*counts, between="-"):
        return between.join("".join(draw.choices("0123456789", k=count)) for count in counts)

    def one_of_each():
        name = str(uuid.UUID(int=draw.getrandbits(128)))
        capitals = "".join(draw.choices("ABCDEFGHJKMNPQRSTVWXYZ0123456789", k=26))
        day = f"20{draw.randrange(30):02d}-{draw.randrange(1, 13):02d}-{draw.randrange(1, 29):02d}"
        clock = f"{draw.randrange(24):02d}:{draw.randrange(60):02d}:{draw.randrange(60):02d}"
        yield from (name, f"conv_{name}", f"{name}_{draw.randrange(99)}", name.replace("-", ""))
        yield from (digits(8, 4, 4, 4, 12), f"{draw.getrandbits(96):024x}", capitals, capitals[:12])
        yield f"{capitals[:9]}/{digits(10, 6, between='.')}"
        yield from (digits(draw.randrange(5, 20)), f"ticket_{digits(10)}", f"T-{digits(10)}", f"00{digits(10)}")
        yield from (digits(3, 2, 4), digits(2, 7), f"7{digits(3, 6)}", f"4{digits(5, 4, between='.')}")
        yield from (f"{day}-{digits(4)}", f"{day}_{digits(10)}", f"chat_{day}T{clock}Z", f"{day}T{clock}+02:00")
        yield from (f"{day} {clock}", f"{day.replace('-', '')}-{digits(6)}", f"{day.replace('-', '')}_{digits(10)}")
        yield base64.b64encode(draw.randbytes(18)).decode()

    drawn = [name for _ in range(400) for name in one_of_each()]
    counted = [f"{prefix}{number:08d}" for number in range(300) for prefix in ("", "T-", "ticket-", "9")]
    assert [name for name in drawn + counted if OWN.stored_id(name) != name] == []


def imported(store, tmp_path, *rows, redact=True):
    log = write_jsonl(tmp_path / "log.jsonl", *rows)
    return import_logs(store, [log], redact=redact, rejects_dir=tmp_path / "rejects")


def written(tmp_path):
    """All that lies on disk of a desk and its rejects."""
    rejects = tmp_path / "rejects"
    files = [*tmp_path.glob("desk.sqlite*"), *(rejects.iterdir() if rejects.exists() else ())]
    return b"".join(file.read_bytes() for file in files)


ROWS = [
    conversation_row("SNG01856", "Lamp?", "Yes."),
    conversation_row(MAIL, "Where is it?", "On its way.", "Thanks", "Bye."),
    conversation_row(PHONE, "Refund?", "Sent."),
]


def test_they_are_not_stored_and_the_conversation_is_known_again_as_it_grows(store, tmp_path):
    assert imported(store, tmp_path, *ROWS).conversations == 3
    ids = [one.id for one in store.conversations()]
    assert ids[0] == "SNG01856" and len(set(ids)) == 3
    assert MAIL.encode() not in written(tmp_path) and PHONE.encode() not in written(tmp_path)
    pairs = store.pair_ids().tolist()
    assert imported(store, tmp_path, *ROWS).unchanged == 3
    beginning = conversation_row(MAIL, "Where is it?", "On its way.")
    assert imported(store, tmp_path, beginning).unchanged == 1
    assert store.pair_ids().tolist() == pairs
    grown = conversation_row(PHONE, "Refund?", "Sent.", "Still nothing", "It takes three days.")
    report = imported(store, tmp_path, grown)
    assert (report.conversations, report.replaced, store.counts()["conversations"]) == (1, 0, 3)


def test_what_a_desk_has_from_before_keeps_its_id_as_its_log_is_imported_again_and_grows(store, tmp_path):
    imported(store, tmp_path, *ROWS)
    keep_as_logged(store, MAIL)
    ids, pseudonym = KnownIds(store), redactor_of(store).stored_id(PHONE)
    assert {one.id for one in store.conversations()} == {"SNG01856", MAIL, pseudonym}
    assert (ids.of(MAIL), ids.of(PHONE)) == (MAIL, pseudonym)
    pairs = store.pair_ids().tolist()
    assert imported(store, tmp_path, *ROWS).unchanged == 3 and store.pair_ids().tolist() == pairs
    said = "Where is it?", "On its way.", "Thanks", "Bye.", "?", "!"
    grown = [conversation_row(name, *said) for name in (MAIL, PHONE)]
    assert imported(store, tmp_path, *grown).conversations == 2
    assert {one.id for one in store.conversations()} == {"SNG01856", MAIL, pseudonym}
    assert len(store.conversation(MAIL).turns) == len(store.conversation(pseudonym).turns) == 6
    assert ids.new(MAIL) == redactor_of(store).stored_id(MAIL)


@pytest.mark.parametrize("name", [MAIL, "SNG01856"])
def test_a_conversation_is_found_by_the_id_of_its_log_whatever_counts_as_personal_now(store, tmp_path, name):
    imported(store, tmp_path, conversation_row(f"id-{redactor_of(store).pseudonym('none')}", "Lamp?", "Yes."))
    pseudonym = f"id-{redactor_of(store).pseudonym(name)}"
    assert KnownIds(store).find(name) is None
    imported(store, tmp_path, conversation_row(pseudonym, "Lamp?", "Yes."))
    ids = KnownIds(store)
    assert ids.find(name) == ids.find(pseudonym) == ids.of(name) == pseudonym
    assert (ids.find("new"), ids.of("new"), ids.find("ann@example.com")) == (None, "new", None)
    report = imported(store, tmp_path, conversation_row(name, "Lamp?", "Yes."))
    assert (report.conversations, store.counts()["conversations"]) == (1, 2)


@pytest.mark.parametrize("redact", [True, False])
def test_switching_de_identification_keeps_one_of_each_under_its_id(store, tmp_path, redact):
    imported(store, tmp_path, *ROWS, redact=redact)
    before = {one.id for one in store.conversations()}
    assert (MAIL in before) != redact
    for other in (not redact, redact):
        report = imported(store, tmp_path, *ROWS, redact=other)
        assert (report.conversations, report.replaced) == (3, 0)
        assert {one.id for one in store.conversations()} == before


@pytest.mark.parametrize("name", [MAIL, "sip:jane@pbx", "14155552671@s.whatsapp.net", "jane%40example.com"])
def test_the_rejects_file_does_not_name_them(store, tmp_path, name):
    table = tmp_path / "log.csv"
    table.write_text(f"conversation_id,role,text\na,customer,hi\na,agent,hey\n{name},nobody,hi\n")
    report = import_logs(store, [table], rejects_dir=tmp_path / "rejects")
    assert report.rejected == 1 and name.encode() not in written(tmp_path)
    kept = json.loads(Path(report.rejects_file).read_text())
    assert kept["raw"] == "nobody: hi" and kept["reason"].endswith("use customer or agent")
