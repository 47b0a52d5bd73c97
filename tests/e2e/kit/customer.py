"""A customer before an ATM, and the staff behind it, both over AtmService and StaffService."""

from kit.client import RpcClient
from kit.ids import new_id
from kit.money import euros
from kit.poll import until
from kit.protos import AtmService, StaffService, atm, staff
from kit.status import Code, RpcError


class Declined(Exception):
    """The ATM's "no". `decline` is its message."""

    def __init__(self, decline):
        super().__init__(f"{atm.DeclineCode.Name(decline.code)}: {decline.message}")
        self.decline = decline
        self.code = decline.code
        self.refusal = decline.refusal.code


class InSuspense(Exception):
    """The ATM cannot know what was paid."""


class NotKnown(Exception):
    """The ATM does not know yet what became of it, or never can."""


def outcome_of(response):
    """The "yes" in a response, or raises what else there is."""
    which = response.WhichOneof("outcome")
    if which in ("decline", "declined"):
        raise Declined(getattr(response, which))
    if which == "suspense":
        raise InSuspense(response.suspense.message)
    if which in ("pending", "cannot_know"):
        raise NotKnown(getattr(response, which).message)
    return getattr(response, which)


class Customer:
    """A card, its PIN, a connection to the ATM and, while the card is in, a session."""

    def __init__(self, client, card, pin, terminal=""):
        self.client, self.card, self.pin, self.terminal = client, card, pin, terminal
        self.atm = client.stub(AtmService)
        self.session = None

    @classmethod
    async def before(cls, address, card, pin, terminal=""):
        """Walks up to the ATM and puts the card in."""
        customer = cls(await RpcClient.connect(address), card, pin, terminal)
        try:
            await customer.insert_card()
        except BaseException:
            await customer.client.close()
            raise
        return customer

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        try:
            if self.session is not None and not self.client.closed.is_set():
                await self.atm.EndSession(session_id=self.session.session_id)
        except RpcError as error:
            if error.code != Code.UNAVAILABLE:  # An ATM that a test has killed.
                raise
        finally:
            await self.client.close()

    async def insert_card(self):
        response = await self.atm.InsertCard(terminal_id=self.terminal, card_number=self.card, pin=self.pin)
        self.session = outcome_of(response)

    async def balance(self):
        """What the customer can spend, in euros. What was just paid is only reserved until the ATM has told the bank."""
        response = await self.atm.GetBalance(session_id=self.session.session_id)
        return outcome_of(response).available.minor_units / 100

    async def withdraw(self, amount, change_id=None, **options):
        """Returns the ATM's Withdrawn."""
        response = await self.atm.Withdraw(
            id=change_id or new_id(), session_id=self.session.session_id, amount=euros(amount), **options
        )
        return outcome_of(response)

    async def deposit(self, *notes, change_id=None):
        """Puts in notes, each its denomination in euros."""
        counted = [atm.Notes(denomination=euros(each), count=notes.count(each)) for each in sorted(set(notes))]
        response = await self.atm.Deposit(
            id=change_id or new_id(), session_id=self.session.session_id, notes=counted
        )
        return outcome_of(response)

    async def transfer(self, target, amount, change_id=None):
        response = await self.atm.Transfer(
            id=change_id or new_id(),
            session_id=self.session.session_id,
            target_account_id=target,
            amount=euros(amount),
        )
        return outcome_of(response)

    async def statement(self, page_size=10):
        response = await self.atm.ListStatement(session_id=self.session.session_id, page_size=page_size)
        return outcome_of(response).entries

    async def what_became_of(self, change_id):
        """The ATM's ResolveResponse."""
        return await self.atm.Resolve(id=change_id, terminal_id=self.terminal)


async def outcome_at(atm_address, change_id, within=20.0):
    """The "yes" to a change, once the ATM knows what became of it, or raises what else there is. Needs no session."""
    async with await RpcClient.connect(atm_address) as client:

        async def known():
            response = await client.stub(AtmService).Resolve(id=change_id)
            return response.WhichOneof("outcome") != "pending" and response

        return outcome_of(await until(known, "what became of a change", within))


def cash_of(withdrawn):
    """The notes in the customer's hand, in euros."""
    return sum(notes.count * notes.denomination.minor_units for notes in withdrawn.notes) / 100


class Staff:
    """Who fills the ATM."""

    def __init__(self, client, terminal=""):
        self.client, self.terminal = client, terminal
        self.atm = client.stub(StaffService)

    @classmethod
    async def of(cls, address, terminal=""):
        return cls(await RpcClient.connect(address), terminal)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.client.close()

    async def load(self, position, denomination, count):
        notes = atm.Notes(denomination=euros(denomination), count=count)
        response = await self.atm.Load(id=new_id(), terminal_id=self.terminal, position=position, notes=notes)
        return outcome_of(response)

    async def audit(self):
        return await self.atm.Audit(terminal_id=self.terminal)

    async def open_items(self):
        return (await self.atm.ListOpenItems(terminal_id=self.terminal)).items

    async def state(self):
        """The terminal's ServiceState."""
        (terminal,) = (await self.atm.ListTerminals()).terminals
        return terminal.state

    async def in_service(self, within=15.0):
        """Waits until a withdrawal can begin."""

        async def serves():
            return await self.state() == staff.SERVICE_STATE_IN_SERVICE

        await until(serves, "the ATM is in service", within)

    async def settled(self, within=20.0):
        """Waits until the bank has been told everything."""

        async def is_empty():
            return not await self.open_items()

        await until(is_empty, "the ATM has nothing open", within)

    async def break_device(self, device, fault, **details):
        await self.atm.SetFault(terminal_id=self.terminal, device=device, fault=fault, **details)


