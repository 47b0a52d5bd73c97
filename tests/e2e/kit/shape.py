"""The shape of requests: what bankd asks of each field before it looks anything up, in its order."""

import re

from kit.protos import refusal

TIME_TO_LIVE_MS_MAX = 7 * 24 * 3600 * 1000
EVIDENCE_BYTES_MAX = 1024


class No(Exception):
    """A refusal. From the change's decision on, it is pinned to the id of the change that it answers."""

    def __init__(self, code, message, tries_left=None, **fields):
        super().__init__(message)
        self.refusal = refusal.Refusal(code=code, message=message, **fields)
        self.beside = {}  # What else the response says.
        if tries_left is not None:
            self.refusal.left_count = tries_left
            self.beside["tries_left"] = tries_left


def is_id(value):
    return len(value) == 16 and any(value)


def is_terminal(value):
    return re.fullmatch(r"[a-z0-9_.:-]{1,64}", value) is not None and value != "operator"


def is_card(value):
    return re.fullmatch(r"[0-9]{8,19}", value) is not None


def is_pin(value):
    return re.fullmatch(r"[0-9]{4,12}", value) is not None


IDENTITY = {"id": is_id, "terminal_id": is_terminal, "card_number": is_card, "hold_id": is_id}
CONTENT = {
    **dict.fromkeys(["pin", "old_pin", "new_pin"], is_pin),
    "target_account_id": lambda value: 1 <= len(value) <= 64,
    "time_to_live_ms": lambda value: 1 <= value <= TIME_TO_LIVE_MS_MAX,
    "receipt_id": lambda value: value == b"" or is_id(value),
    "evidence": lambda value: len(value.encode()) <= EVIDENCE_BYTES_MAX,
    "planned": lambda value: all(each.count >= 1 and each.denomination.minor_units >= 1 for each in value),
}


def malformed(field):
    return No(refusal.REFUSAL_CODE_MALFORMED, f"the {field} is not well formed", field=field)


def require_shape(request):
    fields = request.DESCRIPTOR.fields_by_name

    def require(shapes):
        for field, is_well_formed in shapes.items():
            if field in fields and not is_well_formed(getattr(request, field)):
                raise malformed(field)

    # Of a capture and a suspension the card is for the operator, and may be left out; so may the amount of a suspension.
    left_out = {"card_number"} if "hold_id" in fields and not getattr(request, "card_number", "") else set()
    require({field: shape for field, shape in IDENTITY.items() if field not in left_out})
    is_suspension = "planned" in fields
    has_amount = "amount" in fields and (request.HasField("amount") or not is_suspension)
    if has_amount:
        if not request.HasField("amount"):
            raise malformed("amount")
        if not re.fullmatch("[A-Z]{3}", request.amount.currency):
            raise malformed("amount" if is_suspension else "currency")
    if "id" in fields and "hold_id" in fields and request.id == request.hold_id:
        raise malformed("hold_id")
    require(CONTENT)
    if has_amount and request.amount.minor_units < 1:
        raise No(refusal.REFUSAL_CODE_AMOUNT_MUST_BE_POSITIVE, "an amount is at least 1")
