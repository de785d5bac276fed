"""What a client copies here stays in the folder that it was told."""

from __future__ import annotations

import pytest
from flyteidl.core.literals_pb2 import Literal, LiteralMap

from flyte_kit.configuration import Config
from flyte_kit.exceptions.user import FlyteValueException
from flyte_kit.remote import FlyteRemote


def file_at(path: str) -> Literal:
    literal = Literal()
    literal.scalar.blob.uri = path
    return literal


def test_files_of_maps_and_lists_lie_below_their_names(tmp_path) -> None:
    source = tmp_path / "data.txt"
    source.write_text("hello")
    literals = LiteralMap()
    literals.literals["o0"].map.literals["a"].CopyFrom(file_at(str(source)))
    literals.literals["o1"].collection.literals.append(file_at(str(source)))
    FlyteRemote(Config()).download(literals, str(tmp_path / "to"))
    assert (tmp_path / "to" / "o0" / "a" / "data.txt").read_text() == "hello"
    assert (tmp_path / "to" / "o1" / "0" / "data.txt").read_text() == "hello"


@pytest.mark.parametrize("name", ["..", "../../out", "/etc/out", "", "a/b"])
def test_a_key_that_leads_elsewhere_is_refused(tmp_path, name) -> None:
    source = tmp_path / "data.txt"
    source.write_text("hello")
    literals = LiteralMap()
    literals.literals["o0"].map.literals[name].CopyFrom(file_at(str(source)))
    with pytest.raises(FlyteValueException):
        FlyteRemote(Config()).download(literals, str(tmp_path / "to"))
    assert {path.name for path in tmp_path.iterdir()} == {"data.txt", "to"}
