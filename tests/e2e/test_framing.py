"""FRAMING.md's bytes are what its words say, and the kit's codec cuts a stream as it says."""

import re

import pytest

from kit.frames import BODY_MAX, FrameReader, frame
from kit.protos import PROTO_ROOT, adder, bank, envelope, money
from kit.status import Code

PAGE = (PROTO_ROOT / "FRAMING.md").read_text()


def bytes_of(name):
    """The bytes of a dump: each line's leading pairs of hex digits."""
    dump = re.search(rf"^```hex {name}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL).group(1)
    return b"".join(bytes.fromhex(re.match(r" *((?:[0-9a-f]{2} )*[0-9a-f]{2})?(?= {2,}|$)", line).group(0))
                    for line in dump.splitlines())


def jane_asks():
    token = bytes.fromhex("00112233445566778899aabbccddeeff")
    question = bank.GetBalanceRequest(terminal_id="atm-1", card_number="4000000000000002", token=token)
    return envelope.Request(
        id=1, method="bank.v1.BankService/GetBalance", body=question.SerializeToString(), time_left_ms=5000
    )


def the_bank_answers():
    hundred = money.Money(minor_units=10000, currency="EUR")
    answer = bank.GetBalanceResponse(balance=bank.Balance(balance=hundred, available=hundred), ledger_seq=7)
    return envelope.Response(id=1, body=answer.SerializeToString())


@pytest.mark.parametrize(
    "name, message",
    [
        ("add-request", adder.AddRequest(left=3, right=4)),
        ("add-response", adder.AddResponse(sum=7)),
        ("get-balance-request", jane_asks()),
        ("get-balance-response", the_bank_answers()),
        ("cancel", envelope.Request(id=1, cancel=True)),
    ],
)
def test_the_page_shows_the_bytes_that_protobuf_makes(name, message):
    assert bytes_of(name) == frame(message.SerializeToString())


def test_every_dump_of_the_page_is_checked():
    assert len(re.findall("^```hex", PAGE, re.MULTILINE)) == 5


def test_the_page_lists_grpcs_seventeen_codes():
    assert re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", PAGE, re.MULTILINE) == [(str(c.value), c.name) for c in Code]


def test_a_stream_cut_anywhere_gives_the_same_frames():
    stream = frame(b"one") + frame(b"") + frame(b"x" * BODY_MAX)
    for size in (1, 2, 3, 7, 1000, len(stream)):
        reader = FrameReader()
        bodies = [body for at in range(0, len(stream), size) for body in reader.feed(stream[at : at + size])]
        assert bodies == [b"one", b"", b"x" * BODY_MAX]
        assert reader.between_frames


def test_half_a_frame_waits_for_the_rest():
    reader = FrameReader()
    assert reader.feed(b"\x00\x03on") == []
    assert not reader.between_frames
    assert reader.feed(b"e") == [b"one"]


def test_a_body_that_does_not_fit_is_refused():
    with pytest.raises(ValueError):
        frame(b"x" * (BODY_MAX + 1))
