"""The function on `[]timebucket` fields: how much happened in the last days, which turns by itself at midnight."""

from collections.abc import Mapping

from gatepost.core.filterql.functions.record import Function
from gatepost.core.filterql.values import number_of
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.times import DAY, Instant

LONGEST_DAYS = 31
"""Days a rule may look back; fields go back twice as long."""


def _timewindow(now: Instant, due: list[Instant], held: JsonValue, least: JsonValue, days: JsonValue) -> bool:
    if not isinstance(held, Mapping) or not isinstance(least, int) or not isinstance(days, int):
        return False
    amounts = {int(day): number_of(amount) or 0 for day, amount in held.items() if day.isdigit()}

    def reached(day: int) -> bool:
        return sum(amount for at, amount in amounts.items() if day - days < at <= day) >= least

    today = now // DAY
    answer = reached(today)
    # The answer can only turn on a day that enters the window, or on one when a day leaves it.
    turning = sorted(day for at in amounts for day in (at, at + days) if day > today)
    flip = next((day for day in turning if reached(day) is not answer), None)
    if flip is not None:
        due.append(flip * DAY)
    return answer


def _problem(position: int, literal: JsonValue) -> str:
    if position == 0:
        return "timewindow takes a field of the type []timebucket first"
    if not isinstance(literal, int) or isinstance(literal, bool) or literal < 1:
        return "timewindow takes whole numbers: how many events in how many days, such as 5, 30"
    if position == 2 and literal > LONGEST_DAYS:
        return f"timewindow looks back {LONGEST_DAYS} days at most, not {literal}"
    return ""


FUNCTIONS = (
    Function(
        name="timewindow",
        params=("any", "number", "number"),
        returns="bool",
        takes="now and due",
        call=_timewindow,
        check=_problem,
        summary="True when a []timebucket field counts at least so many in the last days, today among them.",
        examples=(("timewindow(missing, 5, 30)", False),),
    ),
)
