"""A scripted bank: enough of the bank's rules, in memory, for an ATM to talk to. Its faults are a test's to switch on.

It keeps no journal, knows no limits, and no hold of its expires. What it does answer, it answers as bankd does:
test_scripted_bank.py asks both the same.
"""

import hashlib
import os

from kit import server
from kit.money import EUR
from kit.protos import BankService, bank, money, refusal, response_class
from kit.shape import No, malformed, require_shape
from kit.status import Code, RpcError

TERMINAL = "atm-1"
PIN_TRIES = 3
PAGE_SIZE, PAGE_SIZE_MAX = 10, 100


class Customer:
    def __init__(self, account, name, card, pin, balance):
        self.account, self.name, self.card, self.pin, self.balance = account, name, card, pin, balance
        self.held, self.tries_left = 0, PIN_TRIES
        self.entries = []  # Of the statement, oldest first.

    @property
    def available(self):
        return self.balance - self.held

    def move(self, seq, kind, counterparty, amount, **ids):
        self.balance += amount
        self.enter(seq, kind, counterparty, amount, **ids)

    def enter(self, seq, kind, counterparty, amount, id=b"sixteen bytes id", receipt_id=b""):
        self.entries.append(
            bank.StatementEntry(
                ledger_seq=seq,
                id=id,
                receipt_id=receipt_id,
                kind=kind,
                counterparty=counterparty,
                amount=amount_of(amount),
                balance_after=amount_of(self.balance),
            )
        )


def customers():
    """The talk's three."""
    return [
        Customer("jane", "Jane Doe", "4000000000000010", "1234", 100_00),
        Customer("john", "John Doe", "4000000000000028", "2345", 500_00),
        Customer("anonymous", "Anonymous", "4000000000000036", "3456", 0),
    ]


class Hold:
    def __init__(self, customer, amount, receipt_id):
        self.customer, self.amount, self.captured, self.receipt_id = customer, amount, 0, receipt_id
        self.state = bank.HOLD_STATE_HELD

    def end(self, state):
        self.customer.held -= self.amount
        self.state = state


class Pinned:
    """What an id stands for, for ever. A fence has no name."""

    def __init__(self, owner, seq, name=None, request=None, answer=None):
        self.owner, self.seq, self.name, self.request, self.answer = owner, seq, name, request, answer

    def again(self):
        answer = type(self.answer)()
        answer.CopyFrom(self.answer)
        for kind in ("receipt", "changed"):
            if kind in answer.DESCRIPTOR.fields_by_name and answer.HasField(kind):
                getattr(answer, kind).replayed = True
        return answer


class ScriptedBank(server.RpcServer):
    def __init__(self):
        super().__init__()
        self.customers = customers()
        self.cash = {TERMINAL: 0}  # terminal -> minor units that the bank believes are inside
        self.tokens = {}  # token -> (card number, terminal)
        self.strangers = {}  # card number that nobody has -> tries left
        self.holds = {}
        self.answers = {}  # id of a change -> Pinned
        self.seq = 0
        for customer in self.customers:
            self.seq += 1
            if customer.balance:
                customer.enter(self.seq, "fund", "equity:eur", customer.balance)
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
        method = BankService.methods_by_name[name]
        decide = getattr(self, "_" + name)
        is_change = "id" in method.input_type.fields_by_name and name != "Resolve"
        response = response_class(method)

        def answer(request):
            try:
                return response(**decide(request))
            except No as no:
                return response(refusal=no.refusal, **no.beside)

        async def handler(request):
            try:
                require_shape(request)
                first = self._first_answer(name, request) if is_change else None
            except No as no:
                return response(refusal=no.refusal, **no.beside)
            if first is not None:
                return first
            self._require_token(request)
            if not is_change:
                return answer(request)
            if name == "ChangePin" and (is_easily_guessed(request.new_pin) or request.new_pin == request.old_pin):
                return response(refusal=No(refusal.REFUSAL_CODE_PIN_UNSUITABLE, "choose another").refusal)
            self.seq += 1
            pinned = self.answers[request.id] = Pinned(request.terminal_id, self.seq, name, request)
            pinned.answer = answer(request)
            if pinned.answer.HasField("refusal") and pinned.answer.refusal.code >= refusal.REFUSAL_CODE_ACCOUNT_NOT_FOUND:
                pinned.answer.refusal.ledger_seq = self.seq
            return pinned.answer

        return handler

    def _first_answer(self, name, request):
        first = self.answers.get(request.id)
        if first is None:
            return None
        if first.name is None:
            raise No(refusal.REFUSAL_CODE_ID_FENCED, "that id can never execute")
        if first.owner != request.terminal_id:
            raise No(refusal.REFUSAL_CODE_ID_BELONGS_TO_ANOTHER, "another caller has used that id")
        field = "kind" if first.name != name else first_difference(name, first.request, request)
        if field is not None:
            raise No(refusal.REFUSAL_CODE_ID_USED_WITH_OTHER_FIELDS, "another change has that id", field=field)
        return first.again()

    def _require_token(self, request):
        if "token" not in request.DESCRIPTOR.fields_by_name:
            return
        if self.tokens.get(request.token) != (request.card_number, request.terminal_id):
            raise RpcError(Code.UNAUTHENTICATED, "not this card's token at this terminal")

    def _card(self, number):
        for each in self.customers:
            if each.card == number:
                return each
        raise No(refusal.REFUSAL_CODE_CARD_NOT_FOUND, "no such card")

    def _require_terminal(self, request):
        if request.terminal_id not in self.cash:
            raise No(refusal.REFUSAL_CODE_TERMINAL_NOT_FOUND, "no such terminal")

    def _require_funds(self, customer, amount):
        if amount > customer.available:
            left = amount_of(max(0, customer.available))
            raise No(refusal.REFUSAL_CODE_INSUFFICIENT_FUNDS, "there is not enough money in the account", left=left)

    def _receipt(self, customer=None):
        receipt = bank.Receipt(ledger_seq=self.seq)
        if customer is not None:
            receipt.balance.CopyFrom(balance_of(customer))
        return {"receipt": receipt}

    def _SignOn(self, request):
        self._require_terminal(request)
        agrees = not request.seen_chain_head or request.seen_chain_head == self._chain_head(request.seen_ledger_seq)
        return {
            "signed_on": bank.SignedOn(
                instance_id=self.instance_id,
                ledger_seq=self.seq,
                chain_head=self._chain_head(self.seq),
                history_agrees=request.seen_ledger_seq <= self.seq and agrees,
                in_service=True,
                cash=amount_of(self.cash[request.terminal_id]),
            )
        }

    def _chain_head(self, seq):
        return hashlib.sha256(self.instance_id + seq.to_bytes(8, "big")).digest()

    # The PIN.

    def _VerifyCard(self, request):
        self._require_terminal(request)
        customer = next((each for each in self.customers if each.card == request.card_number), None)
        if customer is None:
            self._answer_stranger(request.card_number)
        if request.pin != customer.pin or customer.tries_left < PIN_TRIES:
            self.seq += 1  # A right PIN after right ones changes nothing.
        self._require_pin(customer, request.pin)
        token = os.urandom(16)
        self.tokens[token] = (customer.card, request.terminal_id)
        return {
            "verified": bank.VerifiedCard(
                token=token, account_id=customer.account, customer_name=customer.name, currency=EUR
            )
        }

    def _answer_stranger(self, number):
        left = self.strangers.get(number, PIN_TRIES) - 1
        if left < 0:
            raise No(refusal.REFUSAL_CODE_PIN_TRIES_EXCEEDED, "too many wrong PINs")
        self.strangers[number] = left
        raise No(refusal.REFUSAL_CODE_PIN_WRONG, "the PIN is wrong", tries_left=left)

    def _require_pin(self, customer, pin):
        if customer.tries_left == 0:
            raise No(refusal.REFUSAL_CODE_PIN_TRIES_EXCEEDED, "too many wrong PINs")
        if pin == customer.pin:
            customer.tries_left = PIN_TRIES
            return
        customer.tries_left -= 1
        if customer.tries_left == 0:
            self.tokens = {token: whose for token, whose in self.tokens.items() if whose[0] != customer.card}
        raise No(refusal.REFUSAL_CODE_PIN_WRONG, "the PIN is wrong", tries_left=customer.tries_left)

    def _ChangePin(self, request):
        customer = self._card(request.card_number)
        self._require_pin(customer, request.old_pin)
        customer.pin = request.new_pin
        return {"changed": bank.PinChanged(ledger_seq=self.seq)}

    # The account.

    def _GetBalance(self, request):
        return {"balance": balance_of(self._card(request.card_number)), "ledger_seq": self.seq}

    def _ListStatement(self, request):
        customer = self._card(request.card_number)
        if request.page_size > PAGE_SIZE_MAX:
            raise malformed("page_size")
        entries = list(reversed(customer.entries))
        if request.page_token:
            places = [f"{customer.account} {each.ledger_seq}" for each in entries]
            if request.page_token not in places:
                raise malformed("page_token")
            entries = entries[places.index(request.page_token) :]
        page = entries[: request.page_size or PAGE_SIZE]
        rest = entries[len(page) :]
        next_page = f"{customer.account} {rest[0].ledger_seq}" if rest else ""
        return {"statement": bank.Statement(entries=page, next_page_token=next_page, ledger_seq=self.seq)}

    def _Transfer(self, request):
        target = next((each for each in self.customers if each.account == request.target_account_id), None)
        if target is None:
            raise No(refusal.REFUSAL_CODE_ACCOUNT_NOT_FOUND, "no such account")
        source = self._card(request.card_number)
        if source is target:
            raise No(refusal.REFUSAL_CODE_ACCOUNTS_MUST_DIFFER, "that is the same account")
        require_currency(request)
        amount = request.amount.minor_units
        self._require_funds(source, amount)
        source.move(self.seq, "transfer", target.account, -amount, id=request.id)
        target.move(self.seq, "transfer", source.account, amount, id=request.id)
        return self._receipt(source)

    # Holds.

    def _Hold(self, request):
        receipt = self.answers.get(request.receipt_id)
        if receipt is not None and receipt.name is None:
            raise No(refusal.REFUSAL_CODE_ID_FENCED, "what is on that receipt can never be done")
        customer = self._card(request.card_number)
        require_currency(request)
        amount = request.amount.minor_units
        self._require_funds(customer, amount)
        self.holds[request.id] = Hold(customer, amount, request.receipt_id)
        customer.held += amount
        return self._receipt(customer)

    def _open_hold(self, request):
        first = self.answers.get(request.hold_id)
        if first is not None and first.name is not None and first.owner != request.terminal_id:
            raise No(refusal.REFUSAL_CODE_ID_BELONGS_TO_ANOTHER, "another caller's hold")
        hold = self.holds.get(request.hold_id)
        if hold is None:
            raise No(refusal.REFUSAL_CODE_HOLD_NOT_FOUND, "no such hold")
        if hold.state == bank.HOLD_STATE_CAPTURED:
            raise No(refusal.REFUSAL_CODE_HOLD_ALREADY_CAPTURED, "it was captured")
        if hold.state == bank.HOLD_STATE_VOIDED:
            raise No(refusal.REFUSAL_CODE_HOLD_ALREADY_VOIDED, "it was voided")
        return hold

    def _Capture(self, request):
        hold = self._open_hold(request)
        amount = request.amount.minor_units
        if amount > hold.amount:
            raise No(refusal.REFUSAL_CODE_CAPTURE_EXCEEDS_HOLD, "less was held")
        require_currency(request)
        hold.end(bank.HOLD_STATE_CAPTURED)
        hold.captured = amount
        hold.customer.move(self.seq, "withdrawal", f"cash:{request.terminal_id}", -amount, id=request.id, receipt_id=hold.receipt_id)
        self.cash[request.terminal_id] -= amount
        return self._receipt(hold.customer)

    def _Void(self, request):
        first = self.answers.get(request.hold_id)
        if first is None:
            self.answers[request.hold_id] = Pinned(request.terminal_id, self.seq)
            self.seq += 1
            return {**self._receipt(), "hold_was_unknown": True}
        if first.owner == request.terminal_id and first.name is None:
            return {**self._receipt(), "hold_was_unknown": True}
        if first.owner == request.terminal_id and first.name == "Hold" and first.answer.HasField("refusal"):
            return self._receipt()
        hold = self._open_hold(request)
        hold.end(bank.HOLD_STATE_VOIDED)
        return self._receipt(hold.customer)

    def _Suspend(self, request):
        hold = self._open_hold(request)
        hold.state = bank.HOLD_STATE_SUSPENDED
        return self._receipt(hold.customer)

    def _GetHold(self, request):
        hold, first = self.holds.get(request.hold_id), self.answers.get(request.hold_id)
        if hold is None or first.owner != request.terminal_id:
            raise No(refusal.REFUSAL_CODE_HOLD_NOT_FOUND, "no such hold")
        return {
            "hold": bank.HoldView(state=hold.state, amount=amount_of(hold.amount), captured=amount_of(hold.captured)),
        }

    # Cash.

    def _Deposit(self, request):
        customer = self._card(request.card_number)
        self._move_cash(request, request.amount.minor_units)
        ids = dict(id=request.id, receipt_id=request.receipt_id)
        customer.move(self.seq, "deposit", f"cash:{request.terminal_id}", request.amount.minor_units, **ids)
        return self._receipt(customer)

    def _LoadCash(self, request):
        return self._move_cash(request, request.amount.minor_units)

    def _UnloadCash(self, request):
        return self._move_cash(request, -request.amount.minor_units)

    def _move_cash(self, request, amount):
        self._require_terminal(request)
        require_currency(request)
        self.cash[request.terminal_id] += amount
        owed = amount_of(-self.cash[request.terminal_id])
        receipt = bank.Receipt(ledger_seq=self.seq)
        receipt.balance.CopyFrom(bank.Balance(balance=owed, available=owed))
        return {"receipt": receipt}

    # What became of an id. Of receipts it knows nothing, and it does not say what a change was.

    def _Resolve(self, request):
        first = self.answers.get(request.id)
        if first is None:
            self.seq += 1
            first = self.answers[request.id] = Pinned(request.terminal_id, self.seq)
        if first.name is None:
            return {"fenced": bank.Fenced(ledger_seq=first.seq)}
        if first.owner != request.terminal_id:
            raise No(refusal.REFUSAL_CODE_ID_BELONGS_TO_ANOTHER, "another caller has used that id")
        if first.answer.HasField("refusal"):
            return {"refused": first.answer.refusal}
        if first.name == "ChangePin":
            return {"executed": bank.Receipt(ledger_seq=first.seq, replayed=True)}
        return {"executed": first.again().receipt}


COMPARED = {
    "Hold": ("card_number", "amount", "time_to_live_ms", "receipt_id"),
    "Capture": ("hold_id", "amount"),
    "Void": ("hold_id",),
    "Suspend": ("hold_id",),
    "Deposit": ("amount", "card_number", "receipt_id"),
    "Transfer": ("target_account_id", "amount", "card_number"),
    "ChangePin": ("card_number",),
    "LoadCash": ("amount", "receipt_id"),
    "UnloadCash": ("amount", "receipt_id"),
}


def first_difference(name, first, again):
    for field in COMPARED[name]:
        if getattr(first, field) == getattr(again, field):
            continue
        if field == "amount" and first.amount.minor_units == again.amount.minor_units:
            return "currency"
        return field
    return None


def is_easily_guessed(pin):
    steps = {(int(after) - int(before)) % 10 for before, after in zip(pin, pin[1:])}
    return len(steps) == 1 and steps <= {0, 1, 9}


def require_currency(request):
    if request.amount.currency != EUR:
        raise No(refusal.REFUSAL_CODE_CURRENCY_MISMATCH, "the account has another currency")


def amount_of(minor_units):
    return money.Money(minor_units=minor_units, currency=EUR)


def balance_of(customer):
    return bank.Balance(balance=amount_of(customer.balance), available=amount_of(customer.available))
