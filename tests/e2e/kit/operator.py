"""The bank's operator, over OperatorService: opens accounts, adds terminals, issues cards, reads the books."""

from kit.client import RpcClient
from kit.ids import new_id
from kit.money import EUR, euros
from kit.protos import OperatorService, operator, refusal


class Refused(Exception):
    """The bank's "no" to the operator."""

    def __init__(self, refused):
        super().__init__(f"{refusal.RefusalCode.Name(refused.code)}: {refused.message}")
        self.code = refused.code


def done(response):
    if response.HasField("refusal"):
        raise Refused(response.refusal)
    return getattr(response, response.WhichOneof("outcome"))


class Operator:
    def __init__(self, client):
        self.client = client
        self.bank = client.stub(OperatorService)

    @classmethod
    async def of(cls, address):
        return cls(await RpcClient.connect(address))

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.client.close()

    async def add_terminal(self, terminal):
        done(await self.bank.AddTerminal(id=new_id(), terminal_id=terminal, currency=EUR))

    async def open_account(self, account, name, balance=0):
        done(await self.bank.OpenAccount(id=new_id(), account_id=account, name=name, currency=EUR))
        if balance:
            await self.fund(account, balance)

    async def fund(self, account, amount):
        done(await self.bank.FundAccount(id=new_id(), account_id=account, amount=euros(amount)))

    async def issue_card(self, card, account, pin, **limits):
        limits = operator.CardLimits(**limits)
        done(await self.bank.IssueCard(id=new_id(), card_number=card, account_id=account, pin=pin, limits=limits))

    async def welcome(self, customer):
        """Everything that a customer of the talk needs. See kit.bank.customers()."""
        await self.open_account(customer.account, customer.name, customer.balance / 100)
        await self.issue_card(customer.card, customer.account, customer.pin)

    async def account(self, account):
        return done(await self.bank.GetAccount(account_id=account))

    async def balance(self, account):
        return (await self.account(account)).balance.minor_units / 100

    async def held(self, account):
        return (await self.account(account)).held.minor_units / 100

    async def cash_in(self, terminal):
        """What the bank believes is inside, in euros."""
        terminals = (await self.bank.ListTerminals()).terminals
        return next(each for each in terminals if each.terminal_id == terminal).cash.minor_units / 100

    async def trial_balance(self):
        (euro,) = (await self.bank.GetTrialBalance()).currencies
        return euro

    async def open_holds(self):
        return (await self.bank.ListHolds()).holds

    async def exceptions(self):
        return (await self.bank.ListExceptions()).exceptions

    async def transfers(self, account=""):
        return (await self.bank.ListTransfers(account_id=account, page_size=100)).transfers

    async def decide(self, exception_seq, paid=None, reason="as the test says"):
        """Resolves an exception; of a suspended hold, by what was paid."""
        paid = {} if paid is None else {"paid": euros(paid)}
        done(await self.bank.ResolveException(id=new_id(), exception_seq=exception_seq, reason=reason, **paid))
