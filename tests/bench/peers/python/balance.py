"""What both Python servers answer, on Teller's own frames: the messages are made once and used again."""

from bank.v1 import bank_pb2
from rpc.v1 import envelope_pb2

BALANCES = {f"40000000{card:08}": 1_000_000_000_000 for card in range(10_000)}

_request = envelope_pb2.Request()
_response = envelope_pb2.Response()
_asked = bank_pb2.GetBalanceRequest()
_told = bank_pb2.GetBalanceResponse(ledger_seq=20_000)
_told.balance.balance.currency = _told.balance.available.currency = "EUR"
_balance, _available = _told.balance.balance, _told.balance.available


def answer(body):
    """The reply's frame to the body of a request's frame."""
    _request.ParseFromString(body)
    _asked.ParseFromString(_request.body)
    _balance.minor_units = _available.minor_units = BALANCES[_asked.card_number]
    _response.id = _request.id
    _response.body = _told.SerializeToString()
    reply = _response.SerializeToString()
    return len(reply).to_bytes(2, "big") + reply
