"""The scripted bank answers as bankd does: both are asked the same, one request after the other, and their answers compared."""

from google.protobuf.json_format import MessageToDict

from kit.bank import PIN_TRIES, ScriptedBank, customers
from kit.client import RpcClient
from kit.ids import new_id
from kit.money import euros
from kit.protos import BankService, bank, money, request_class
from kit.status import Code, RpcError

JANE, JOHN, NOBODY = customers()
ONCE = {"id", "receipt_id", "token", "instance_id", "chain_head", "next_page_token"}  # A bank makes these up; only that they are there counts.
SECONDS = 1000


def comparable(message):
    """What must be equal: everything but words, times, what a change was, and what each bank makes up. Journal numbers: see `ranked`."""

    def look(value, name=""):
        if isinstance(value, dict):
            return {key: look(each, key) for key, each in value.items() if key not in ("message", "at_us", "change")}
        if isinstance(value, list):
            return [look(each) for each in value]
        return bool(value) if name in ONCE else value

    return look(MessageToDict(message, preserving_proto_field_name=True, including_default_value_fields=False))


def ranked(answers):
    """The same with each journal number replaced by its rank: a bank may count what it was not asked about."""
    numbers = set()

    def look(value, act):
        if isinstance(value, dict):
            return {key: act(each) if key == "ledger_seq" else look(each, act) for key, each in value.items()}
        return [look(each, act) for each in value] if isinstance(value, list) else value

    look([answer for _, answer in answers], lambda number: numbers.add(int(number)))
    ranks = {number: rank for rank, number in enumerate(sorted(numbers))}
    return [(what, look(answer, lambda number: ranks[int(number)])) for what, answer in answers]


class Conversation:
    """What one terminal asks, and what it is answered."""

    def __init__(self, client):
        self.client = client
        self.answers = []  # (what was asked, the answer so that it can be compared)
        self.asked = set()
        self.tokens = {}

    async def ask(self, what, name, **fields):
        method = BankService.methods_by_name[name]
        request = request_class(method)(**{"terminal_id": "atm-1", **fields})
        self.asked.add(name)
        try:
            answer = await self.client.call(method, request)
        except RpcError as error:
            self.answers.append((what, Code(error.code).name))
            return None
        self.answers.append((what, comparable(answer)))
        return answer

    async def insert(self, customer, pin=None, **fields):
        answer = await self.ask(
            f"the card of {customer.name}", "VerifyCard", card_number=customer.card, pin=pin or customer.pin, **fields
        )
        self.tokens[customer.name] = answer.verified.token
        return self.proof(customer)

    def proof(self, customer):
        return dict(card_number=customer.card, token=self.tokens[customer.name])

    async def each_field_wrong(self, name, right, wrong):
        """A request with one field wrong after the other, and with all of them; then, with the same id, the right one."""
        for field, value in wrong.items():
            await self.ask(f"{name} with a wrong {field}", name, **{**right, field: value})
        await self.ask(f"{name} with everything wrong", name, **{**right, **wrong})
        await self.ask(f"{name}, the first time", name, **right)
        await self.ask(f"{name}, again", name, **right)
        await self.ask(f"{name}, of another terminal", name, **{**right, "terminal_id": "atm-2"})


WRONG_ID = dict(id=b"short", terminal_id="ATM 1")
WRONG_AMOUNT = dict(amount=money.Money(minor_units=-1, currency="euro"))


async def sign_on(talk):
    first = (await talk.ask("sign-on", "SignOn")).signed_on
    head = first.chain_head
    await talk.ask("sign-on of one who saw this", "SignOn", seen_ledger_seq=first.ledger_seq, seen_chain_head=head)
    await talk.ask("sign-on of one who saw more", "SignOn", seen_ledger_seq=first.ledger_seq + 10**6, seen_chain_head=head)
    await talk.ask("sign-on of one who saw another head", "SignOn", seen_ledger_seq=first.ledger_seq, seen_chain_head=b"x" * 32)
    await talk.ask("sign-on of a stranger", "SignOn", terminal_id="atm-9")
    await talk.ask("sign-on of no terminal", "SignOn", terminal_id="")


async def cards(talk):
    await talk.ask("no card", "VerifyCard", card_number="12", pin="1234")
    await talk.ask("no PIN", "VerifyCard", card_number=JANE.card, pin="12")
    await talk.ask("a card at a strange terminal", "VerifyCard", card_number=JANE.card, pin=JANE.pin, terminal_id="atm-9")
    for _ in range(PIN_TRIES + 1):
        await talk.ask("a card that nobody has", "VerifyCard", card_number="4999999999999999", pin="1234")
    await talk.ask("a wrong PIN", "VerifyCard", card_number=JANE.card, pin="9999")
    for customer in (JANE, JOHN, NOBODY):
        await talk.insert(customer)


async def reading(talk):
    for name in ("GetBalance", "ListStatement"):
        proof = talk.proof(JANE)
        await talk.ask(f"{name}", name, **proof)
        await talk.ask(f"{name} without a token", name, card_number=JANE.card)
        await talk.ask(f"{name} with another's token", name, card_number=JOHN.card, token=proof["token"])
        await talk.ask(f"{name} at another terminal", name, terminal_id="atm-2", **proof)
        await talk.ask(f"{name} of no card", name, **{**proof, "card_number": "x"})


async def changes_of_pin(talk):
    right = dict(id=new_id(), old_pin=JOHN.pin, new_pin="7391", **talk.proof(JOHN))
    wrong = dict(**WRONG_ID, card_number="x", old_pin="1", new_pin="x", token=b"none")
    await talk.ask("a PIN that is a run", "ChangePin", **{**right, "new_pin": "8901"})
    await talk.ask("a PIN of one digit", "ChangePin", **{**right, "new_pin": "4444"})
    await talk.ask("the same PIN", "ChangePin", **{**right, "new_pin": JOHN.pin})
    await talk.each_field_wrong("ChangePin", right, wrong)
    await talk.ask("ChangePin of another card", "ChangePin", **{**right, **talk.proof(JANE)})
    await talk.ask("what became of it", "Resolve", id=right["id"])
    wrong_pin = dict(right, id=new_id(), old_pin=JOHN.pin)
    await talk.ask("ChangePin with the old PIN", "ChangePin", **wrong_pin)
    await talk.ask("the same again", "ChangePin", **wrong_pin)
    await talk.ask("what became of it", "Resolve", id=wrong_pin["id"])
    await talk.insert(JOHN, "7391")


async def holds(talk):
    ids = dict(id=new_id(), receipt_id=new_id())
    right = dict(ids, amount=euros(60), time_to_live_ms=60 * SECONDS, **talk.proof(JANE))
    wrong = dict(**WRONG_ID, **WRONG_AMOUNT, card_number="x", token=b"none", time_to_live_ms=0, receipt_id=b"x")
    await talk.each_field_wrong("Hold", right, wrong)
    for field, value in dict(amount=euros(61), time_to_live_ms=61 * SECONDS, receipt_id=new_id(), **talk.proof(JOHN)).items():
        await talk.ask(f"the same id with another {field}", "Hold", **{**right, field: value})
    yen = money.Money(minor_units=60_00, currency="JPY")
    await talk.ask("the same id in another currency", "Hold", **{**right, "amount": yen})
    await talk.ask("the same id for something else", "LoadCash", id=right["id"], amount=euros(60))
    await talk.ask("a hold in another currency", "Hold", **{**right, "id": new_id(), "amount": yen})
    await talk.ask("a hold of nothing", "Hold", **{**right, "id": new_id(), "amount": euros(0)})
    await talk.ask("a hold without an amount", "Hold", **{**right, "id": new_id(), "amount": None})
    await talk.ask("a hold for ever", "Hold", **{**right, "id": new_id(), "time_to_live_ms": 2**32 - 1})
    await talk.ask("what the hold is", "GetHold", hold_id=right["id"])
    await talk.ask("what another's hold is", "GetHold", hold_id=right["id"], terminal_id="atm-2")
    await talk.ask("what nobody's hold is", "GetHold", hold_id=new_id())
    await talk.ask("what no hold is", "GetHold", hold_id=b"short")
    return right["id"]


async def too_much(talk):
    """A refusal is pinned, and a void of what was never held releases nothing."""
    right = dict(id=new_id(), amount=euros(60), time_to_live_ms=60 * SECONDS, **talk.proof(NOBODY))
    await talk.ask("more than there is", "Hold", **right)
    await talk.ask("the same again", "Hold", **right)
    await talk.ask("what became of it", "Resolve", id=right["id"])
    await talk.ask("whether it is held", "GetHold", hold_id=right["id"])
    await talk.ask("its capture", "Capture", id=new_id(), hold_id=right["id"], amount=euros(60))
    await talk.ask("its suspension", "Suspend", id=new_id(), hold_id=right["id"])
    await talk.ask("its void", "Void", id=new_id(), hold_id=right["id"])


async def capture(talk, hold_id):
    right = dict(id=new_id(), hold_id=hold_id, amount=euros(40))
    await talk.each_field_wrong("Capture", right, dict(**WRONG_ID, **WRONG_AMOUNT, hold_id=b"x"))
    await talk.ask("Capture of itself", "Capture", **{**right, "hold_id": right["id"]})
    await talk.ask("the same id with another amount", "Capture", **{**right, "amount": euros(41)})
    await talk.ask("the same id for another hold", "Capture", **{**right, "hold_id": new_id()})
    for name in ("Capture", "Void", "Suspend"):
        fields = {"amount": euros(40)} if name == "Capture" else {}
        await talk.ask(f"{name} of what was captured", name, id=new_id(), hold_id=hold_id, **fields)
        await talk.ask(f"{name} of another's hold", name, id=new_id(), hold_id=hold_id, terminal_id="atm-2", **fields)
    await talk.ask("what the hold is", "GetHold", hold_id=hold_id)
    await talk.ask("what became of it", "Resolve", id=right["id"])
    await talk.ask("what became of the hold", "Resolve", id=hold_id)
    await talk.ask("another's question", "Resolve", id=hold_id, terminal_id="atm-2")


async def suspension(talk):
    hold = dict(id=new_id(), amount=euros(20), time_to_live_ms=60 * SECONDS, **talk.proof(JANE))
    await talk.ask("a hold", "Hold", **hold)
    notes = bank.PlannedNotes(denomination=euros(20), count=1)
    right = dict(id=new_id(), hold_id=hold["id"], evidence="nobody knows", amount=euros(20), planned=[notes])
    wrong = dict(**WRONG_ID, **WRONG_AMOUNT, hold_id=b"x", evidence="x" * 1025)
    wrong["planned"] = [bank.PlannedNotes(denomination=euros(20), count=0)]
    await talk.each_field_wrong("Suspend", right, wrong)
    await talk.ask("of an amount of nothing", "Suspend", **{**right, "id": new_id(), "amount": euros(0)})
    await talk.ask("without amount and notes", "Suspend", id=new_id(), hold_id=hold["id"])
    await talk.ask("suspended again", "Suspend", **{**right, "id": new_id()})
    await talk.ask("with other evidence", "Suspend", **{**right, "evidence": "somebody knows"})
    await talk.ask("what the hold is", "GetHold", hold_id=hold["id"])
    await talk.ask("the balance", "GetBalance", **talk.proof(JANE))
    await talk.ask("too much", "Capture", id=new_id(), hold_id=hold["id"], amount=euros(20.01))
    yen = money.Money(minor_units=10_00, currency="JPY")
    await talk.ask("in yen", "Capture", id=new_id(), hold_id=hold["id"], amount=yen)
    await talk.ask("all of it", "Capture", id=new_id(), hold_id=hold["id"], amount=euros(20))


async def voids(talk):
    hold = dict(id=new_id(), amount=euros(20), time_to_live_ms=60 * SECONDS, **talk.proof(JANE))
    await talk.ask("a hold", "Hold", **hold)
    right = dict(id=new_id(), hold_id=hold["id"])
    await talk.each_field_wrong("Void", right, dict(**WRONG_ID, hold_id=b"x"))
    for name in ("Void", "Suspend", "Capture"):
        fields = {"amount": euros(20)} if name == "Capture" else {}
        await talk.ask(f"{name} of what was voided", name, id=new_id(), hold_id=hold["id"], **fields)
    await talk.ask("what the hold is", "GetHold", hold_id=hold["id"])
    never = dict(hold, id=new_id())
    release = dict(id=new_id(), hold_id=never["id"])
    await talk.ask("a hold that never came is voided", "Void", **release)
    await talk.ask("the same again", "Void", **release)
    await talk.ask("then it comes", "Hold", **never)
    await talk.ask("another void of it", "Void", id=new_id(), hold_id=never["id"])
    await talk.ask("its capture", "Capture", id=new_id(), hold_id=never["id"], amount=euros(20))
    await talk.ask("what became of it", "Resolve", id=never["id"])
    await talk.ask("a void of what is no hold", "Void", id=new_id(), hold_id=release["id"])


async def fences(talk):
    unseen = new_id()
    await talk.ask("what became of an id that nobody saw", "Resolve", id=unseen)
    await talk.ask("the same again", "Resolve", id=unseen)
    await talk.ask("another's question", "Resolve", id=unseen, terminal_id="atm-2")
    await talk.ask("then it comes", "LoadCash", id=unseen, amount=euros(60))
    hold = dict(id=new_id(), receipt_id=unseen, amount=euros(1), time_to_live_ms=SECONDS, **talk.proof(JANE))
    await talk.ask("then a hold has it on its receipt", "Hold", **hold)
    await talk.ask("what became of no id", "Resolve", id=b"x")
    await talk.ask("asked by no terminal", "Resolve", id=new_id(), terminal_id="")


async def deposits(talk):
    right = dict(id=new_id(), amount=euros(50), card_number=JANE.card, receipt_id=new_id())
    await talk.each_field_wrong("Deposit", right, dict(**WRONG_ID, **WRONG_AMOUNT, card_number="x", receipt_id=b"x"))
    await talk.ask("the same id with another receipt", "Deposit", **{**right, "receipt_id": new_id()})
    await talk.ask("the same id with another amount", "Deposit", **{**right, "amount": euros(51)})
    await talk.ask("the same id for another card", "Deposit", **{**right, "card_number": JOHN.card})
    await talk.ask("for a card that nobody has", "Deposit", id=new_id(), amount=euros(5), card_number="4999999999999999")
    await talk.ask("at a strange terminal", "Deposit", **{**right, "id": new_id(), "terminal_id": "atm-9"})
    yen = money.Money(minor_units=5000, currency="JPY")
    await talk.ask("in another currency", "Deposit", **{**right, "id": new_id(), "amount": yen})


async def transfers(talk):
    right = dict(id=new_id(), amount=euros(5), target_account_id=JOHN.account, **talk.proof(JANE))
    wrong = dict(**WRONG_ID, **WRONG_AMOUNT, card_number="x", token=b"none", target_account_id="")
    await talk.each_field_wrong("Transfer", right, wrong)
    await talk.ask("the same id with another amount", "Transfer", **{**right, "amount": euros(6)})
    await talk.ask("the same id for another", "Transfer", **{**right, "target_account_id": "anonymous"})
    await talk.ask("to nobody", "Transfer", **{**right, "id": new_id(), "target_account_id": "no-one"})
    await talk.ask("to herself", "Transfer", **{**right, "id": new_id(), "target_account_id": JANE.account})
    await talk.ask("more than there is", "Transfer", **{**right, "id": new_id(), "amount": euros(10_000)})
    yen = money.Money(minor_units=5000, currency="JPY")
    await talk.ask("in another currency", "Transfer", **{**right, "id": new_id(), "amount": yen})
    await talk.ask("of nothing", "Transfer", **{**right, "id": new_id(), "amount": euros(0)})


async def cash(talk):
    for name in ("LoadCash", "UnloadCash"):
        right = dict(id=new_id(), amount=euros(500), receipt_id=new_id())
        await talk.each_field_wrong(name, right, dict(**WRONG_ID, **WRONG_AMOUNT, receipt_id=b"x"))
        await talk.ask("the same id with another amount", name, **{**right, "amount": euros(501)})
        await talk.ask("at a strange terminal", name, **{**right, "id": new_id(), "terminal_id": "atm-9"})
        await talk.ask("what became of it", "Resolve", id=right["id"])
        await talk.ask("what is inside", "SignOn")


async def statements(talk):
    first = await talk.ask("three entries", "ListStatement", page_size=3, **talk.proof(JANE))
    token = first.statement.next_page_token
    await talk.ask("the rest", "ListStatement", page_token=token, **talk.proof(JANE))
    await talk.ask("another's rest", "ListStatement", page_token=token, **talk.proof(JOHN))
    await talk.ask("no page", "ListStatement", page_token="x", **talk.proof(JANE))
    await talk.ask("too long a page", "ListStatement", page_size=101, **talk.proof(JANE))


async def locked_card(talk):
    """Last: nothing unlocks it."""
    for _ in range(PIN_TRIES + 1):
        await talk.ask("a wrong PIN", "VerifyCard", card_number=JANE.card, pin="9999")
    await talk.ask("the right PIN", "VerifyCard", card_number=JANE.card, pin=JANE.pin)
    await talk.ask("the token from before", "GetBalance", **talk.proof(JANE))
    deposit = dict(id=new_id(), amount=euros(5), card_number=JANE.card)
    await talk.ask("a deposit all the same", "Deposit", **deposit)
    await talk.ask("a PIN change", "ChangePin", id=new_id(), old_pin=JANE.pin, new_pin="7391", **talk.proof(JANE))


async def everything(address):
    async with await RpcClient.connect(address) as client:
        talk = Conversation(client)
        await sign_on(talk)
        await cards(talk)
        await reading(talk)
        await changes_of_pin(talk)
        hold_id = await holds(talk)
        await too_much(talk)
        await capture(talk, hold_id)
        await suspension(talk)
        await voids(talk)
        await fences(talk)
        await deposits(talk)
        await transfers(talk)
        await cash(talk)
        await statements(talk)
        await locked_card(talk)
        assert talk.asked == set(BankService.methods_by_name), "a method is not compared"
        return ranked(talk.answers)


async def test_the_scripted_bank_answers_as_bankd_does(bank):
    async with await bank.operator() as operator:
        await operator.add_terminal("atm-2")
    of_bankd = await everything(bank.bankd.address)
    async with ScriptedBank() as scripted:
        scripted.cash["atm-2"] = 0
        of_scripted = await everything(scripted.address)
    different = [
        f"{what}: bankd {said}, the scripted bank {scripted_said}"
        for (what, said), (_, scripted_said) in zip(of_bankd, of_scripted)
        if said != scripted_said
    ]
    assert not different, "\n".join(different)
    assert len(of_bankd) == len(of_scripted)
