"""Values from text that somebody typed."""

from __future__ import annotations

import datetime
import enum
import importlib
import importlib.util
import inspect
import json
from pathlib import Path
from typing import Any, get_args, get_origin

from flyte_core.errors import InvalidInput
from flyte_kit.core import moments
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.type_transformer import get_underlying_type, structures, type_name
from flyte_kit.storage.stores import is_remote
from flyte_kit.transformers.unions import is_union, variants_of

_YES = {"true", "t", "yes", "y", "1", "on"}
_NO = {"false", "f", "no", "n", "0", "off"}
_DOCUMENTS = {".json", ".yaml", ".yml"}
_TABLES = {".parquet": "parquet", ".csv": "csv"}


def value_of_text(text: str, python_type: Any) -> Any:
    """Return the value of a type that text stands for.

    Primitives are plain; dates and durations as :mod:`flyte_kit.core.moments` reads them; lists, maps and structures
    are JSON, or the path of a JSON or YAML file; files, folders and tables are a path or URI; what travels as a pickle
    is ``module:name`` of a variable.

    :raises InvalidInput: saying what would be right
    """
    t = get_underlying_type(python_type)
    if is_union(t):
        return _of_union(text, t)
    try:
        return _of_type(text.strip() if t is not str else text, t)
    except InvalidInput:
        raise
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidInput(f"{text[:200]!r} is no {type_name(t)}: {error}") from error


def _of_type(text: str, t: Any) -> Any:
    if t is str:
        return text
    if t is bool:
        word = text.lower()
        if word not in _YES | _NO:
            raise InvalidInput(f"{text[:200]!r} is no truth value: write true or false")
        return word in _YES
    if t in {int, float}:
        return t(text)
    if t is datetime.datetime:
        return moments.date(text)
    if t is datetime.date:
        return moments.date(text).date()
    if t is datetime.timedelta:
        return moments.duration(text)
    if t is type(None):
        return _nothing(text)
    if inspect.isclass(t) and issubclass(t, enum.Enum):
        return _member(text, t)
    if hasattr(t, "_serialize") and hasattr(t, "__fspath__"):
        return t(_path(text))
    if get_origin(t) in {list, dict} or t in {list, dict} or (_is_structure(t) and not hasattr(t, "_serialize")):
        return _of_data(_document(text), t)
    return _of_library_type(text, t)


def _is_structure(t: Any) -> bool:
    return hasattr(t, "__dataclass_fields__") or hasattr(t, "model_validate")


def _of_data(data: Any, t: Any) -> Any:
    """Return the list, map or structure that parsed data stands for; its parts may be text as somebody types it."""
    origin, arguments = get_origin(t) or t, get_args(t)
    if origin is list and arguments and isinstance(data, list):
        return [value_of_document(each, arguments[0]) for each in data]
    if origin is dict and len(arguments) == 2 and isinstance(data, dict):
        return {str(key): value_of_document(each, arguments[1]) for key, each in data.items()}
    return t.model_validate(data) if hasattr(t, "model_validate") else structures().decode(data, t)


def _member(text: str, t: type[enum.Enum]) -> enum.Enum:
    for member in t:
        if text in {str(member.value), member.name}:
            return member
    choices = ", ".join(str(member.value) for member in t)
    raise InvalidInput(f"{text[:200]!r} is none of {choices}")


def _document(text: str) -> Any:
    """Return what a document says: the text itself, or the file that it names."""
    named = text.removeprefix("@")
    if text.startswith("@") or Path(named).suffix in _DOCUMENTS:
        return read_document(Path(named))
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"{text[:200]!r} is neither JSON nor the path of a JSON or YAML file: {error}") from error


def read_document(path: Path) -> Any:
    """Read a JSON or YAML file.

    :raises InvalidInput: if it is missing or is neither
    """
    try:
        text = path.read_text()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from error
    return document_of(text, str(path))


def document_of(text: str, source: str) -> Any:
    """Read the text of a JSON or YAML document.

    :param source: where it comes from, for messages
    :raises InvalidInput: if it is neither
    """
    try:
        return json.loads(text)
    except ValueError as error:
        if importlib.util.find_spec("yaml") is None:
            raise InvalidInput(f"{source} is no JSON ({error}); to read YAML: pip install pyyaml") from error
    yaml = importlib.import_module("yaml")
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidInput(f"{source} is neither JSON nor YAML: {error}") from error


def _path(text: str) -> str:
    if not is_remote(text) and not Path(text).exists():
        raise InvalidInput(f"there is no file or folder {text[:500]!r} here: give a path that exists, or a URI")
    return text


def _of_library_type(text: str, t: Any) -> Any:
    """Return a value of a type that only its transformer knows: a table, or whatever travels as a pickle."""
    kind = TypeEngine.to_literal_type(t).WhichOneof("type")
    if kind == "structured_dataset_type":
        path = _path(text)
        dataset = importlib.import_module("flyte_kit.types.structured").StructuredDataset
        return dataset(uri=path, file_format=_TABLES.get(Path(path).suffix, "parquet"))
    module, colon, name = text.partition(":")
    if kind == "blob" and colon and all(part.isidentifier() for part in [*module.split("."), name]):
        try:
            return getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise InvalidInput(f"{text!r}: {error}; give module:name of a variable that can be imported") from error
    return text


def _nothing(text: str) -> None:
    if text.lower() not in {"none", "null", ""}:
        raise InvalidInput(f"{text[:200]!r} is not None")


def _of_union(text: str, t: Any) -> Any:
    variants = sorted(variants_of(t), key=lambda variant: variant is str)
    problems = []
    for variant in variants:
        try:
            return value_of_text(text, variant)
        except InvalidInput as error:
            problems.append(str(error))
    raise InvalidInput(f"{text[:200]!r} fits no variant of {t}: {'; '.join(problems)}")


def value_of_document(document: Any, python_type: Any) -> Any:
    """Return the value of a type that a part of a JSON or YAML document stands for.

    Text is read as :func:`value_of_text` reads it; numbers, lists, maps and null as they are.

    :raises InvalidInput: saying what would be right
    """
    t = get_underlying_type(python_type)
    if isinstance(document, str):
        return value_of_text(document, python_type)
    if isinstance(document, datetime.date):  # YAML reads these itself
        return value_of_text(document.isoformat(), python_type)
    if t is Any or is_union(t) or document is None or isinstance(document, bool | int | float):
        return document if t is Any else value_of_text(json.dumps(document, default=str), python_type)
    try:
        return _of_data(document, t)
    except InvalidInput:
        raise
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidInput(f"{str(document)[:200]} is no {type_name(t)}: {error}") from error
