"""Functions over windows: they read what a profile keeps of its past, so only filters have them."""

from gatepost.core.filterql.functions.record import Function
from gatepost.model.jsonvalue import JsonObject

HISTORY: tuple[tuple[str, JsonObject], ...] = (
    ("9d", {"event": "view", "sku": "tea"}),
    ("3d", {"event": "purchase", "sku": "tea", "total": 30}),
    ("1d", {"event": "purchase", "sku": "cup", "total": 12}),
    ("2h", {"event": "cart", "sku": "tea"}),
)
"""How long ago what happened to the profile that the examples ask about."""

FUNCTIONS = (
    Function(
        name="distinct",
        shape="field, length, [condition]",
        summary="How many different values a field received within the length.",
        examples=(
            ('distinct("event.sku", "7d") >= 2', True),
            ('distinct("event.sku", "7d", event = "purchase" AND total > 20) >= 2', False),
        ),
    ),
    Function(
        name="first",
        shape="event, [condition]",
        returns="date",
        summary="When an event came for the first time.",
        examples=(('first("purchase") < "now-2d"', True),),
    ),
    Function(
        name="last",
        shape="event, [condition]",
        returns="date",
        summary="When an event came for the last time.",
        examples=(('last("purchase") < "now-2d"', False), ('last("purchase", total > 20) < "now-2d"', True)),
    ),
    Function(
        name="sequence",
        shape="event, [condition], event, [condition], within, length",
        returns="bool",
        summary="True while an event lies within the length that came after the other, at most `within` later.",
        examples=(
            ('sequence("view", "purchase", "7d", "7d")', True),
            ('sequence("view", sku = "cup", "purchase", "7d", "7d")', False),
        ),
    ),
    Function(
        name="abandoned",
        shape="event, [condition], event, [condition], after, length",
        returns="bool",
        summary="True from `after` the latest first event on, for the length, unless the second came after it.",
        examples=(
            ('abandoned("cart", "purchase", "1h", "7d")', True),
            ('abandoned("view", "purchase", "1h", "30d")', False),
        ),
    ),
)
