"""The tarball of the code, what is left out of it, and versions made from it."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from flyte_core.errors import InvalidInput
from flyte_kit.configuration import ImageConfig, SerializationSettings
from flyte_kit.registration.ignore_rules import IgnoreRules
from flyte_kit.registration.sources import CopyFileDetection
from flyte_kit.registration.tarball import pack
from flyte_kit.registration.versions import version_of


def _tree(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_same_code_gives_the_same_bytes_whoever_packs_it_and_when(tmp_path: Path) -> None:
    one = _tree(tmp_path / "one", a_dot_py="x = 1", pkg__b_dot_py="y = 2")
    two = _tree(tmp_path / "two", pkg__b_dot_py="y = 2", a_dot_py="x = 1")
    os.utime(two / "a.py", (1, 1))
    first, second = pack(one, CopyFileDetection.ALL), pack(two, CopyFileDetection.ALL)
    assert first.content == second.content
    assert first.name == f"fast{first.digest}.tar.gz"
    with tarfile.open(fileobj=io.BytesIO(first.content)) as tar:
        assert tar.getnames() == ["a.py", "pkg/b.py"]


def test_other_code_gives_another_digest(tmp_path: Path) -> None:
    one = _tree(tmp_path / "one", a_dot_py="x = 1")
    before = pack(one, CopyFileDetection.ALL).digest
    (one / "a.py").write_text("x = 2")
    assert pack(one, CopyFileDetection.ALL).digest != before


def test_an_empty_folder_is_refused_with_a_question(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no files to package"):
        pack(tmp_path, CopyFileDetection.ALL)


@pytest.mark.parametrize(
    ("lines", "path", "out"),
    [
        ("*.csv", "data/x.csv", True),
        ("*.csv\n!keep.csv", "data/keep.csv", False),
        ("/only.txt", "only.txt", True),
        ("/only.txt", "deep/only.txt", False),
        ("data/**/x.py", "data/a/b/x.py", True),
        ("a?.py", "ab.py", True),
        ("[!a].py", "a.py", False),
        ("# comment", "comment", False),
    ],
)
def test_ignore_rules_read_as_git_reads_them(tmp_path: Path, lines: str, path: str, out: bool) -> None:
    (tmp_path / ".gitignore").write_text(lines)
    assert IgnoreRules.of_folder(tmp_path).leaves_out(path) is out


def test_ignored_folders_and_caches_do_not_go_with_the_code(tmp_path: Path) -> None:
    root = _tree(tmp_path, a_dot_py="x = 1", data__big_dot_bin="0")
    (root / "__pycache__").mkdir()
    (root / "__pycache__" / "a.pyc").write_bytes(b"")
    (root / ".flyteignore").write_text("data\n")
    assert "data/big.bin" not in pack(root, CopyFileDetection.ALL).files
    assert "__pycache__/a.pyc" not in pack(root, CopyFileDetection.ALL).files
    assert "a.py" in pack(root, CopyFileDetection.ALL).files


def test_a_version_depends_on_code_and_settings_only() -> None:
    settings = SerializationSettings(ImageConfig.auto(img_name="image:v1"), project="p", domain="d")
    assert version_of("abc", settings) == version_of("abc", settings)
    others = [
        version_of("abd", settings),
        version_of("abc", SerializationSettings(ImageConfig.auto(img_name="image:v2"), project="p", domain="d")),
        version_of("abc", settings, "more"),
    ]
    assert len({version_of("abc", settings), *others}) == 4
    assert len(version_of("abc", settings)) == 22
