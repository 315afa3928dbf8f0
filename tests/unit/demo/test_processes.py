import asyncio
from pathlib import Path

import pytest

from gatepost.demo.example import example_audiences, example_folder
from gatepost.demo.processes import demo_environment, free_ports, running
from gatepost.demo.truth import TRUTHS
from gatepost.model.errors import OperatorError


def test_a_program_that_does_not_start_is_reported_with_its_output(tmp_path: Path) -> None:
    (port,) = free_ports(1)

    async def story() -> None:
        async with running(["no-such-command"], tmp_path / "log", f"http://127.0.0.1:{port}"):
            pass

    with pytest.raises(OperatorError, match=r"did not become healthy .* it ended with \d+: \S"):
        asyncio.run(story())


def test_ports_are_different() -> None:
    assert len(set(free_ports(3))) == 3


def test_settings_of_the_caller_do_not_lead_a_demo_to_the_real_insider(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("INSIDER_URL", "https://unification.useinsider.com")
    monkeypatch.setenv("INSIDER_TOKEN", "a-real-token")

    environment = demo_environment(INSIDER_URL="http://127.0.0.1:9")

    assert environment["INSIDER_URL"] == "http://127.0.0.1:9"
    assert "INSIDER_TOKEN" not in environment


def test_the_example_is_found_with_its_audiences() -> None:
    assert set(example_audiences(example_folder())) == set(TRUTHS)
