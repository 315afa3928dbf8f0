"""What is shipped as it is, is what `make vendor` names, and has its licence beside it."""

import pytest

from tools.vendor import ROOT, VENDORED, Vendored


@pytest.mark.parametrize("one", VENDORED, ids=lambda one: one.package)
def test_a_vendored_package_is_of_its_named_version_and_licensed(one: Vendored) -> None:
    folder = ROOT / one.folder

    scripts = [
        (folder / name).read_text(encoding="utf-8") for name in one.files.values() if name.endswith(".js")
    ]
    licences = [name for name in one.files.values() if name.endswith("LICENSE")]

    assert all(f"{one.package} v{one.version}" in script[:500] for script in scripts)
    assert len(scripts) == len(licences) == 1
    assert "Permission is hereby granted" in (folder / licences[0]).read_text(encoding="utf-8")


def test_nothing_else_lies_among_the_vendored_files() -> None:
    named = {ROOT / one.folder / name for one in VENDORED for name in one.files.values()}

    assert named == {file for one in VENDORED for file in (ROOT / one.folder).iterdir()}
