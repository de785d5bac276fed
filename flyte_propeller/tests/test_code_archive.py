"""Unpacking code archives: what upstream's client makes is unpacked, and nothing nasty gets through."""

from __future__ import annotations

import gzip
import io
import os
import stat
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from flyte_core.errors import FlyteError, InvalidInput, TooLarge, Unavailable
from flyte_propeller.adapters.embedded.archive import ArchiveLimits, extract

SMALL = ArchiveLimits(entries=10, size=100_000, ratio=20, free=10_000)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def entry(
    name: str, data: bytes = b"", *, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size, info.mode = kind, link, len(data), mode
    return info, data


def tar(*entries: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def archive(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    return gzip.compress(tar(*entries))


def contents(target: Path) -> list[str]:
    return sorted(str(path.relative_to(target)) for path in target.rglob("*"))


def test_files_and_folders_are_unpacked_with_their_permissions(target: Path) -> None:
    extract(
        archive(
            entry("", kind=tarfile.DIRTYPE, mode=0o755),
            entry("./a.py", b"print()", mode=0o640),
            entry("package", kind=tarfile.DIRTYPE, mode=0o750),
            entry("package/run.sh", b"#!/bin/sh", mode=0o755),
            entry("implied/deep/x", b"", mode=0o000),
        ),
        target,
    )
    assert contents(target) == ["a.py", "implied", "implied/deep", "implied/deep/x", "package", "package/run.sh"]
    modes = {name: oct((target / name).stat().st_mode & 0o7777) for name in contents(target)}
    assert (modes["a.py"], modes["package"], modes["package/run.sh"]) == ("0o640", "0o750", "0o755")
    assert modes["implied/deep/x"] == "0o600"
    assert (target / "a.py").read_bytes() == b"print()"


def test_what_tar_itself_makes_is_unpacked_from_a_file(target: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "long").mkdir(parents=True)
    (source / "long" / ("n" * 200)).write_bytes(b"x" * 100_000)
    (source / "ünïcode.py").write_bytes(b"")
    file = tmp_path / "code.tar.gz"
    subprocess.run(["tar", "-czf", file, "-C", source, "."], check=True)
    extract(file, target)
    assert contents(target) == contents(source)
    assert (target / "long" / ("n" * 200)).read_bytes() == b"x" * 100_000


def test_set_user_id_and_its_kin_are_dropped(target: Path) -> None:
    extract(archive(entry("a", b"", mode=0o7755)), target)
    assert stat.S_IMODE((target / "a").stat().st_mode) == 0o755


def test_unpacking_again_replaces_files_and_follows_no_link(target: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    (target / "a").symlink_to(outside)
    for data in (b"1", b"2"):
        extract(archive(entry("a", data)), target)
        assert (target / "a").read_bytes() == data
    assert outside.read_bytes() == b"precious"


GOOD = entry("good.py", b"good")
NASTY: dict[str, Sequence[tuple[tarfile.TarInfo, bytes]]] = {
    "absolute": [entry("/etc/passwd")],
    "parent": [entry("../evil")],
    "hidden parent": [entry("a/../../evil")],
    "parent folder": [entry("..", kind=tarfile.DIRTYPE)],
    "drive": [entry("C:/evil")],
    "backslash": [entry("..\\evil")],
    "symbolic link": [entry("link", kind=tarfile.SYMTYPE, link="/etc")],
    "harmless link": [entry("link", kind=tarfile.SYMTYPE, link="good.py")],
    "hard link": [entry("link", kind=tarfile.LNKTYPE, link="/etc/passwd")],
    "write through a link": [entry("link", kind=tarfile.SYMTYPE, link="/tmp"), entry("link/evil")],
    "device": [entry("null", kind=tarfile.CHRTYPE)],
    "block device": [entry("disk", kind=tarfile.BLKTYPE)],
    "pipe": [entry("pipe", kind=tarfile.FIFOTYPE)],
    "contiguous": [entry("x", kind=tarfile.CONTTYPE)],
    "unknown type": [entry("x", kind=b"Z")],
    "twice": [entry("a"), entry("./a")],
    "folder and file": [entry("a", kind=tarfile.DIRTYPE), entry("a")],
    "implied folder and file": [entry("a/b"), entry("a")],
    "below a file": [entry("a"), entry("a/b")],
    "folder over a file": [entry("a"), entry("a", kind=tarfile.DIRTYPE)],
    "nameless file": [entry("")],
    "long name": [entry("x" * 256)],
    "long path": [entry("x/" * 1100 + "x")],
}


@pytest.mark.parametrize("name", NASTY)
def test_an_archive_with_anything_nasty_is_refused_whole(target: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="the code archive holds"):
        extract(archive(GOOD, *NASTY[name]), target)
    assert contents(target) == []
    assert contents(tmp_path) == ["target"]


def nul_in_name() -> bytes:
    header = tarfile.TarInfo("x")
    header.pax_headers = {"path": "a\0b"}
    return archive(GOOD, (header, b""))


BROKEN: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "no gzip": lambda: tar(GOOD),
    "no tar": lambda: gzip.compress(b"hello" * 1000),
    "cut off": lambda: archive(GOOD, entry("x", os.urandom(100_000)))[:50_000],
    "cut off at the end": lambda: archive(GOOD)[:-4],
    "cut off within a file": lambda: gzip.compress(tar(GOOD, entry("x", bytes(9000)))[:4096]),
    "wrong checksum": lambda: archive(GOOD)[:-8] + bytes(4) + archive(GOOD)[-4:],
    "another archive behind": lambda: gzip.compress(tar(GOOD) + tar(entry("evil"))),
    "another stream behind": lambda: archive(GOOD) + archive(entry("evil")),
    "garbage behind": lambda: archive(GOOD) + b"garbage",
    "NUL in a name": nul_in_name,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_archive_is_refused_whole(target: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="the code archive"):
        extract(BROKEN[name](), target)
    assert contents(target) == []


def long_header(size: int) -> bytes:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, size
    return gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(10_240))


def lying_size() -> bytes:
    header = tarfile.TarInfo("x")
    header.size = 8 * 2**40
    return gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(10_240))


BOMBS: dict[str, Callable[[], bytes]] = {
    "many files": lambda: archive(*(entry(str(number)) for number in range(11))),
    "large": lambda: archive(entry("x", os.urandom(100_001))),
    "ratio": lambda: archive(entry("x", bytes(50_000))),
    "ratio of many": lambda: archive(*(entry(str(number), bytes(9_000)) for number in range(5))),
    "a size that is not true": lying_size,
    "zeros behind": lambda: gzip.compress(tar(GOOD) + bytes(16 << 20)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_it_goes_off(target: Path, name: str) -> None:
    with pytest.raises(TooLarge, match="the code archive"):
        extract(BOMBS[name](), target, SMALL)
    assert contents(target) == []


def test_a_header_that_would_fill_the_memory_is_not_read(target: Path) -> None:
    with pytest.raises(TooLarge, match="a header of 33554432 bytes"):
        extract(long_header(32 * 2**20), target)


def test_an_ordinary_project_is_within_the_limits(target: Path) -> None:
    files = [entry(f"package/module_{number}.py", b"x = 1\n" * 100) for number in range(2000)]
    extract(archive(*files), target)
    assert len(list(target.rglob("*.py"))) == 2000


def test_a_folder_that_cannot_be_written_is_a_fault_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"")
    with pytest.raises(Unavailable, match="cannot be unpacked into"):
        extract(archive(GOOD), tmp_path / "target")
    with pytest.raises(Unavailable, match="cannot be read"):
        extract(tmp_path / "missing", tmp_path)


def test_random_damage_is_refused_or_harmless(target: Path) -> None:
    whole = bytearray(tar(GOOD, entry("a/b", b"data" * 100), entry("c", kind=tarfile.DIRTYPE)))
    for position in range(0, 3000, 7):
        damaged = bytearray(whole)
        damaged[position] ^= 0x55
        try:
            extract(gzip.compress(bytes(damaged), 1), target)
        except FlyteError:
            continue
    assert all(path.resolve().is_relative_to(target) for path in target.rglob("*"))
