import io
from pathlib import Path

from rich.console import Console

from gatepost.demo.client import Status
from gatepost.demo.comparison import Comparison, compare
from gatepost.demo.outcome import result_of
from gatepost.demo.report import Addresses, print_report, print_signposts
from gatepost.model.audience import AudienceSize

STATUS = Status(
    events_applied=3206,
    profiles=1345,
    audiences={"big_spenders": AudienceSize(size=28, entered=96, left=68)},
    deliveries={"delivered": 4972},
)


def printed(comparison: Comparison) -> str:
    written = io.StringIO()
    print_report(Console(file=written, width=120), STATUS, result_of(STATUS, comparison, 9.0), comparison)
    return written.getvalue()


def test_agreement_is_said_with_the_number_of_households() -> None:
    text = printed(compare({}, {}, {}, households=["hh-1", "hh-2"]))

    assert "3,206 events, 1,345 profiles, 4,972 delivered, 0 refused, 0 dead, 0 pending, 9.0 s" in text
    assert "2 households: gatepost, the sandbox and the raw rows agree on each." in text


def test_disagreements_are_shown_up_to_ten() -> None:
    text = printed(compare({}, {}, {f"hh-{n}": frozenset({"big_spenders"}) for n in range(12)}))

    assert "12 of 12 households disagree:" in text
    assert text.count("sandbox: big_spenders") == 10


def test_the_signposts_hold_a_command_that_reads_the_token_from_its_file() -> None:
    written = io.StringIO()
    addresses = Addresses("http://127.0.0.1:1", "http://127.0.0.1:2", Path("data") / "admin-token")

    print_signposts(Console(file=written, width=80), addresses, "hh-7")

    line = "export GATEPOST_URL=http://127.0.0.1:1 GATEPOST_TOKEN=$(cat data/admin-token)\n"
    assert line in written.getvalue()
    assert "\ngatepost profile show household_id hh-7\n" in written.getvalue()
    assert "until Ctrl-C" in written.getvalue()
