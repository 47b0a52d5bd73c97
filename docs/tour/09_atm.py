"""The smallest ATM that can play the talk's scene: no journal, no notes but one cassette, nothing survives its end.

It proves that the suite tests any program that speaks the protocol:
    pytest tests/e2e/test_scene.py --atm-command \
        "{python} $PWD/docs/tour/09_atm.py --bank {bank} --listen {listen} --ready-file {ready_file}"
"""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/e2e"))  # The wire, in Python.
from kit.client import RpcClient
from kit.ids import new_id
from kit.protos import AtmService, BankService, StaffService, atm, money, staff
from kit.server import RpcServer


NOTE = money.Money(minor_units=20_00, currency="EUR")  # The one denomination that it pays.


class ScriptedAtm(RpcServer):
    def __init__(self, bank, terminal):
        super().__init__()
        self.bank, self.terminal = bank, terminal
        self.sessions = {}  # id -> (card number, token)
        self.notes = 0
        self.serve(AtmService, {"InsertCard": self.insert_card, "GetBalance": self.get_balance,
                                "Withdraw": self.withdraw, "EndSession": self.end_session})
        self.serve(StaffService, {"ListTerminals": self.list_terminals, "Load": self.load})

    async def insert_card(self, request):
        answer = await self.bank.VerifyCard(
            terminal_id=self.terminal, card_number=request.card_number, pin=request.pin
        )
        if answer.HasField("refusal"):
            return atm.InsertCardResponse(decline=by_bank(answer.refusal))
        session_id = os.urandom(16)
        self.sessions[session_id] = (request.card_number, answer.verified.token)
        session = atm.Session(
            session_id=session_id,
            terminal_id=self.terminal,
            customer_name=answer.verified.customer_name,
            currency=answer.verified.currency,
        )
        return atm.InsertCardResponse(session=session)

    async def get_balance(self, request):
        card, token = self.sessions[request.session_id]
        answer = await self.bank.GetBalance(terminal_id=self.terminal, card_number=card, token=token)
        return atm.GetBalanceResponse(balance=answer.balance)

    async def withdraw(self, request):
        card, token = self.sessions[request.session_id]
        notes, rest = divmod(request.amount.minor_units, NOTE.minor_units)
        if request.amount.currency != NOTE.currency or rest or notes > self.notes:
            decline = atm.Decline(code=atm.DECLINE_CODE_CANNOT_MAKE_AMOUNT, message="only notes of 20.00")
            return atm.WithdrawResponse(decline=decline)
        held = await self.bank.Hold(
            id=request.id,
            terminal_id=self.terminal,
            card_number=card,
            token=token,
            amount=request.amount,
            time_to_live_ms=60_000,
        )
        if held.HasField("refusal"):
            return atm.WithdrawResponse(decline=by_bank(held.refusal))
        self.notes -= notes
        await self.bank.Capture(
            id=new_id(), terminal_id=self.terminal, hold_id=request.id, amount=request.amount
        )
        cash = atm.Notes(denomination=NOTE, count=notes)
        withdrawn = atm.Withdrawn(amount=request.amount, notes=[cash], balance=held.receipt.balance)
        return atm.WithdrawResponse(withdrawn=withdrawn)

    async def end_session(self, request):
        self.sessions.pop(request.session_id, None)
        return atm.EndSessionResponse()

    async def list_terminals(self, request):
        terminal = staff.Terminal(terminal_id=self.terminal, state=staff.SERVICE_STATE_IN_SERVICE)
        return staff.ListTerminalsResponse(terminals=[terminal])

    async def load(self, request):
        if request.notes.denomination == NOTE:
            self.notes += request.notes.count
        return staff.LoadResponse(done=staff.StaffDone())


def by_bank(refusal):
    return atm.Decline(code=atm.DECLINE_CODE_BY_BANK, message=refusal.message, refusal=refusal)


async def main():
    parser = argparse.ArgumentParser()
    for option in ("--bank", "--listen", "--ready-file"):
        parser.add_argument(option, required=True)
    parser.add_argument("--terminal", default="atm-1")
    options = parser.parse_args()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)

    async with await RpcClient.connect(options.bank) as client:
        server = ScriptedAtm(client.stub(BankService), options.terminal)
        host, _, port = options.listen.rpartition(":")
        await server.start(host, int(port))
        with open(options.ready_file + ".new", "w", encoding="utf-8") as ready:
            ready.write(server.address + "\n")
        os.rename(options.ready_file + ".new", options.ready_file)
        await stopped.wait()
        await server.stop()


if __name__ == "__main__":
    asyncio.run(main())
