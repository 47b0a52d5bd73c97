"""A scripted bank: enough of the bank's rules, in memory, for an ATM to talk to. Its faults are a test's to switch on.

It is no second bank: no PIN tries, no limits, no journal. What it does, it does once per id.
"""

import hashlib
import os

from kit import server
from kit.money import EUR
from kit.protos import BankService, bank, money, refusal, response_class
from kit.status import Code, RpcError


class Customer:
    def __init__(self, account, name, card, pin, balance):
        self.account, self.name, self.card, self.pin, self.balance = account, name, card, pin, balance
        self.held = 0

    @property
    def available(self):
        return self.balance - self.held


def customers():
    """The talk's three."""
    return [
        Customer("jane", "Jane Doe", "4000000000000010", "1234", 100_00),
        Customer("john", "John Doe", "4000000000000028", "2345", 500_00),
        Customer("anonymous", "Anonymous", "4000000000000036", "3456", 0),
    ]


class Hold:
    def __init__(self, customer, amount):
        self.customer, self.amount, self.captured = customer, amount, 0
        self.state = bank.HOLD_STATE_HELD

    def end(self, state):
        if self.state in (bank.HOLD_STATE_HELD, bank.HOLD_STATE_SUSPENDED):
            self.customer.held -= self.amount
        self.state = state


class No(Exception):
    """A refusal. Pinned to the id of the change it answers."""

    def __init__(self, code, message):
        super().__init__(message)
        self.refusal = refusal.Refusal(code=code, message=message)


class ScriptedBank(server.RpcServer):
    def __init__(self):
        super().__init__()
        self.customers = customers()
        self.cash = {}  # terminal -> minor units that the bank believes are inside
        self.holds = {}
        self.answers = {}  # id of a change -> (its request without token, its first answer)
        self.seq = 0
        self.instance_id = os.urandom(16)
        self.serve(BankService, {name: self._handler(name) for name in BankService.methods_by_name})

    # What a test asks of it.

    def customer(self, account):
        return next(each for each in self.customers if each.account == account)

    def balance(self, account):
        return self.customer(account).balance

    def held(self, account):
        return self.customer(account).held

    def asked(self, name):
        """The requests for a method so far."""
        return [message for path, message in self.requests if path.endswith("/" + name)]

    # The handlers.

    def _handler(self, name):
        decide = getattr(self, "_" + name, None)
        changes = "id" in BankService.methods_by_name[name].input_type.fields_by_name and name != "Resolve"

        async def handler(request):
            if decide is None:
                raise RpcError(Code.UNIMPLEMENTED, f"the scripted bank has no {name}")
            return self._once(decide, name, request) if changes else self._answer(decide, name, request)

        return handler

    def _answer(self, decide, name, request):
        response = response_class(BankService.methods_by_name[name])
        try:
            return response(**decide(request))
        except No as no:
            return response(refusal=no.refusal)

    def _once(self, decide, name, request):
        compared = type(request)()
        compared.CopyFrom(request)
        if "token" in request.DESCRIPTOR.fields_by_name:
            compared.ClearField("token")
        first = self.answers.get(request.id)
        if first is None:
            self.seq += 1
            answer = self._answer(decide, name, request)
            self.answers[request.id] = (compared, answer)
            return answer
        before, answer = first
        if before is None:
            return no_to(name, refusal.REFUSAL_CODE_ID_FENCED, "that id can never execute")
        if before != compared:
            return no_to(name, refusal.REFUSAL_CODE_ID_USED_WITH_OTHER_FIELDS, "another change has that id")
        again = type(answer)()
        again.CopyFrom(answer)
        if again.HasField("receipt"):
            again.receipt.replayed = True
        return again

    def _card(self, number):
        for each in self.customers:
            if each.card == number:
                return each
        raise No(refusal.REFUSAL_CODE_CARD_NOT_FOUND, "no such card")

    def _trusted(self, request):
        customer = self._card(request.card_number)
        if request.token != token_of(customer):
            raise RpcError(Code.UNAUTHENTICATED, "not this customer's token")
        return customer

    def _receipt(self, customer=None):
        receipt = bank.Receipt(ledger_seq=self.seq)
        if customer is not None:
            receipt.balance.CopyFrom(balance_of(customer))
        return {"receipt": receipt}

    def _SignOn(self, request):
        self.cash.setdefault(request.terminal_id, 0)
        return {
            "signed_on": bank.SignedOn(
                instance_id=self.instance_id,
                ledger_seq=self.seq,
                chain_head=self._chain_head(),
                history_agrees=request.seen_ledger_seq <= self.seq,
                in_service=True,
                cash=amount_of(self.cash[request.terminal_id]),
            )
        }

    def _chain_head(self):
        return hashlib.sha256(self.instance_id + self.seq.to_bytes(8, "big")).digest()

    def _VerifyCard(self, request):
        customer = self._card(request.card_number)
        if request.pin != customer.pin:
            return {"refusal": No(refusal.REFUSAL_CODE_PIN_WRONG, "the PIN is wrong").refusal, "tries_left": 2}
        return {
            "verified": bank.VerifiedCard(
                token=token_of(customer), account_id=customer.account, customer_name=customer.name, currency=EUR
            )
        }

    def _GetBalance(self, request):
        return {"balance": balance_of(self._trusted(request)), "ledger_seq": self.seq}

    def _ListStatement(self, request):
        self._trusted(request)
        return {"statement": bank.Statement(ledger_seq=self.seq)}

    def _Hold(self, request):
        customer = self._trusted(request)
        amount = request.amount.minor_units
        if amount < 1:
            raise No(refusal.REFUSAL_CODE_AMOUNT_MUST_BE_POSITIVE, "an amount is at least 1")
        if amount > customer.available:
            raise No(refusal.REFUSAL_CODE_INSUFFICIENT_FUNDS, "there is not enough money in the account")
        self.holds[request.id] = Hold(customer, amount)
        customer.held += amount
        return self._receipt(customer)

    def _open_hold(self, hold_id):
        hold = self.holds.get(hold_id)
        if hold is None:
            raise No(refusal.REFUSAL_CODE_HOLD_NOT_FOUND, "no such hold")
        if hold.state == bank.HOLD_STATE_CAPTURED:
            raise No(refusal.REFUSAL_CODE_HOLD_ALREADY_CAPTURED, "it was captured")
        if hold.state == bank.HOLD_STATE_VOIDED:
            raise No(refusal.REFUSAL_CODE_HOLD_ALREADY_VOIDED, "it was voided")
        return hold

    def _Capture(self, request):
        hold = self._open_hold(request.hold_id)
        if request.amount.minor_units > hold.amount:
            raise No(refusal.REFUSAL_CODE_CAPTURE_EXCEEDS_HOLD, "less was held")
        hold.end(bank.HOLD_STATE_CAPTURED)
        hold.captured = request.amount.minor_units
        hold.customer.balance -= hold.captured
        self._move_cash(request.terminal_id, -hold.captured)
        return self._receipt(hold.customer)

    def _Void(self, request):
        if request.hold_id not in self.holds and request.hold_id not in self.answers:
            self.answers[request.hold_id] = (None, None)
            return {**self._receipt(), "hold_was_unknown": True}
        hold = self._open_hold(request.hold_id)
        hold.end(bank.HOLD_STATE_VOIDED)
        return self._receipt(hold.customer)

    def _Suspend(self, request):
        hold = self._open_hold(request.hold_id)
        hold.state = bank.HOLD_STATE_SUSPENDED
        return self._receipt(hold.customer)

    def _GetHold(self, request):
        hold = self.holds.get(request.hold_id)
        if hold is None:
            raise No(refusal.REFUSAL_CODE_HOLD_NOT_FOUND, "no such hold")
        return {
            "hold": bank.HoldView(state=hold.state, amount=amount_of(hold.amount), captured=amount_of(hold.captured)),
        }

    def _Deposit(self, request):
        customer = self._card(request.card_number)
        customer.balance += request.amount.minor_units
        self._move_cash(request.terminal_id, request.amount.minor_units)
        return self._receipt(customer)

    def _Transfer(self, request):
        source = self._trusted(request)
        target = next((each for each in self.customers if each.account == request.target_account_id), None)
        if target is None:
            raise No(refusal.REFUSAL_CODE_ACCOUNT_NOT_FOUND, "no such account")
        if request.amount.minor_units > source.available:
            raise No(refusal.REFUSAL_CODE_INSUFFICIENT_FUNDS, "there is not enough money in the account")
        source.balance -= request.amount.minor_units
        target.balance += request.amount.minor_units
        return self._receipt(source)

    def _LoadCash(self, request):
        self._move_cash(request.terminal_id, request.amount.minor_units)
        return self._receipt()

    def _UnloadCash(self, request):
        self._move_cash(request.terminal_id, -request.amount.minor_units)
        return self._receipt()

    def _move_cash(self, terminal, amount):
        self.cash[terminal] = self.cash.get(terminal, 0) + amount

    def _Resolve(self, request):
        before, answer = self.answers.setdefault(request.id, (None, None))
        if before is None:
            return {"fenced": bank.Fenced(ledger_seq=self.seq)}
        return {"refused": answer.refusal} if answer.HasField("refusal") else {"executed": answer.receipt}


def no_to(name, code, message):
    return response_class(BankService.methods_by_name[name])(refusal=No(code, message).refusal)


def token_of(customer):
    return hashlib.sha256(customer.card.encode()).digest()[:16]


def amount_of(minor_units):
    return money.Money(minor_units=minor_units, currency=EUR)


def balance_of(customer):
    return bank.Balance(balance=amount_of(customer.balance), available=amount_of(customer.available))

