import os
import stat
import threading
from pathlib import Path

import pytest

from gatepost.model.errors import OperatorError
from gatepost.outbound.keyring import KEY_FILE, KeyRing, new_key, open_key_ring

CONFIG = b'{"webhook_request_headers":"X-REQUEST-TOKEN: hunter2"}'


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_sealed_is_unreadable_at_rest_and_opens_again_after_a_restart(tmp_path: Path) -> None:
    sealed = open_key_ring(tmp_path).seal(CONFIG)

    assert b"hunter2" not in sealed
    assert open_key_ring(tmp_path).open(sealed) == CONFIG


def test_the_same_text_is_sealed_differently_each_time_but_has_one_fingerprint(tmp_path: Path) -> None:
    ring = open_key_ring(tmp_path)

    assert ring.seal(CONFIG) != ring.seal(CONFIG)
    assert ring.fingerprint(CONFIG) == ring.fingerprint(CONFIG)
    assert ring.fingerprint(CONFIG) != ring.fingerprint(CONFIG + b" ")


def test_a_fingerprint_tells_nothing_without_the_key() -> None:
    assert KeyRing([new_key()]).fingerprint(CONFIG) != KeyRing([new_key()]).fingerprint(CONFIG)


def test_the_key_file_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        open_key_ring(tmp_path)
    finally:
        os.umask(before)

    assert mode(tmp_path / KEY_FILE) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


@pytest.mark.parametrize("wrong", [0o640, 0o604, 0o660, 0o644])
def test_a_key_file_others_can_read_is_refused_with_the_remedy(tmp_path: Path, wrong: int) -> None:
    open_key_ring(tmp_path)
    (tmp_path / KEY_FILE).chmod(wrong)

    with pytest.raises(OperatorError, match=r"chmod 600 .*keys"):
        open_key_ring(tmp_path)


def test_two_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    rings: list[KeyRing] = []
    start = threading.Barrier(8)

    def open_it() -> None:
        start.wait()
        rings.append(open_key_ring(tmp_path))

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({ring.fingerprint(CONFIG) for ring in rings}) == 1
    assert len(rings) == 8


def test_rotation_seals_anew_opens_the_old_and_keeps_fingerprints(tmp_path: Path) -> None:
    ring = open_key_ring(tmp_path)
    old, fingerprint = ring.seal(CONFIG), ring.fingerprint(CONFIG)

    ring.rotate()

    again = open_key_ring(tmp_path)
    assert again.open(old) == CONFIG
    assert again.open(ring.seal(CONFIG)) == CONFIG
    assert again.fingerprint(CONFIG) == fingerprint == ring.fingerprint(CONFIG)
    assert mode(tmp_path / KEY_FILE) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_a_resealed_secret_needs_the_old_key_no_more() -> None:
    old, new = new_key(), new_key()
    sealed = KeyRing([old]).seal(CONFIG)

    resealed = KeyRing([new, old]).reseal(sealed)

    assert KeyRing([new]).open(resealed) == CONFIG


def test_keys_of_the_environment_go_before_the_file_newest_first(tmp_path: Path) -> None:
    old, new = new_key(), new_key()
    sealed = KeyRing([old]).seal(CONFIG)

    ring = open_key_ring(tmp_path, f" {new} , {old},")

    assert ring.open(sealed) == CONFIG
    assert KeyRing([new]).open(ring.seal(CONFIG)) == CONFIG
    assert ring.fingerprint(CONFIG) == KeyRing([old]).fingerprint(CONFIG)
    assert list(tmp_path.iterdir()) == []


def test_keys_of_the_environment_are_rotated_where_they_are_set(tmp_path: Path) -> None:
    ring = open_key_ring(tmp_path, new_key())

    with pytest.raises(OperatorError, match="GATEPOST_KEYS"):
        ring.rotate()


@pytest.mark.parametrize(
    "sealed",
    [KeyRing([new_key()]).seal(CONFIG), b"", b"garbage", CONFIG],
    ids=["another ring's", "empty", "garbage", "never sealed"],
)
def test_a_secret_no_key_opens_says_what_to_do(sealed: bytes) -> None:
    ring = KeyRing([new_key(), new_key()])

    for attempt in (ring.open, ring.reseal):
        with pytest.raises(OperatorError, match="none of the 2 keys"):
            attempt(sealed)


@pytest.mark.parametrize(
    "text",
    ["hunter2", "c2hvcnQ=", new_key()[:-4], "\u00e4" * 44],
    ids=["a password", "too short", "cut", "not base64"],
)
def test_a_key_that_is_none_is_refused_without_being_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(OperatorError, match="key 2 of the key ring") as refused:
        open_key_ring(tmp_path, f"{new_key()},{text}")

    assert text not in refused.value.message


@pytest.mark.parametrize("content", [b"", b"\n , \n", b"\xff\xfe"])
def test_a_key_file_without_a_key_is_never_replaced_silently(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / KEY_FILE
    path.touch(0o600)
    path.write_bytes(content)

    with pytest.raises(OperatorError, match="keys"):
        open_key_ring(tmp_path)

    assert path.read_bytes() == content


def test_a_missing_folder_is_the_operators_to_mend(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="cannot be made"):
        open_key_ring(tmp_path / "gone")


def test_printing_a_ring_shows_no_key() -> None:
    key = new_key()

    assert key not in repr(KeyRing([key]))
