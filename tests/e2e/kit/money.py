"""Money as tests write it: euros, turned into minor units of EUR."""

from decimal import Decimal

from kit.protos import money

EUR = "EUR"


def cents(amount):
    """The minor units of an amount in euros: 60, 60.5, "60.50"."""
    minor_units = Decimal(str(amount)) * 100
    assert minor_units == int(minor_units), f"{amount} is not whole cents"
    return int(minor_units)


def euros(amount):
    return money.Money(minor_units=cents(amount), currency=EUR)
