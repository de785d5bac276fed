"""Program of one side: encode every typed value and every type, or decode what the other side encoded.

``encode_values.py encode MODULE FOLDER`` writes ``{id: {"type": hex, "literal": hex}}`` to standard output;
``encode_values.py decode MODULE FOLDER FILE`` reads such a document and writes ``{id: repr of the value}``.
"""

import importlib.util
import json
import sys
from pathlib import Path


def load(path: str):
    spec = importlib.util.spec_from_file_location("typed_values", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["typed_values"] = module
    spec.loader.exec_module(module)
    return module


def as_message(model):
    return model.to_flyte_idl() if hasattr(model, "to_flyte_idl") else model


def in_hex(model) -> str:
    return as_message(model).SerializeToString(deterministic=True).hex()


def encode(kit, module, folder):
    context = kit.context()
    answer = {}
    for name, (python_type, make) in module.CASES.items():
        try:
            literal_type = kit.engine.to_literal_type(python_type)
            literal = kit.engine.to_literal(context, make(folder), python_type, literal_type)
            answer[name] = {"type": in_hex(literal_type), "literal": in_hex(literal)}
        except Exception as error:
            answer[name] = {"error": f"{type(error).__name__}: {error}"}
    for name, python_type in module.TYPES_ONLY.items():
        try:
            answer["type-" + name] = {"type": in_hex(kit.engine.to_literal_type(python_type))}
        except Exception as error:
            answer["type-" + name] = {"error": f"{type(error).__name__}: {error}"}
    return answer


def decode(kit, module, document):
    context = kit.context()
    answer = {}
    for name, (python_type, _) in module.CASES.items():
        if "literal" not in document.get(name, {}):
            continue
        try:
            literal = kit.literal(bytes.fromhex(document[name]["literal"]))
            answer[name] = shown(kit.engine.to_python_value(context, literal, python_type))
        except Exception as error:
            answer[name] = f"{type(error).__name__}: {error}"
    return answer


def shown(value) -> str:
    if hasattr(value, "remote_source"):
        kind = "file" if hasattr(value, "remote_path") else "folder"
        return f"{kind} {value.extension()} {value.remote_source or value.path} {getattr(value, 'metadata', None)}"
    if type(value).__name__ == "StructuredDataset":
        return f"StructuredDataset {value.literal.uri} {value.file_format}"
    if hasattr(value, "model_fields"):
        return f"{type(value).__name__}({', '.join(shown(getattr(value, name)) for name in type(value).model_fields)})"
    if isinstance(value, list):
        return "[" + ", ".join(shown(each) for each in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {shown(value[key])}" for key in sorted(value, key=str)) + "}"
    if hasattr(value, "__dataclass_fields__"):
        return f"{type(value).__name__}({', '.join(shown(getattr(value, n)) for n in value.__dataclass_fields__)})"
    return repr(value)


class Stock:
    def __init__(self):
        from flytekit import FlyteContextManager
        from flytekit.core.type_engine import TypeEngine
        from flytekit.models.literals import Literal

        self.engine, self.manager, self.model = TypeEngine, FlyteContextManager, Literal

    def context(self):
        context = self.manager.current_context()
        mode = context.new_execution_state().Mode.LOCAL_TASK_EXECUTION
        return context.with_execution_state(context.new_execution_state().with_params(mode=mode)).build()

    def literal(self, data):
        from flyteidl.core.literals_pb2 import Literal

        message = Literal()
        message.ParseFromString(data)
        return self.model.from_flyte_idl(message)


class Ours:
    def __init__(self):
        from flyte_kit.core.type_engine import TypeEngine

        from flyte_kit import FlyteContextManager

        self.engine, self.manager = TypeEngine, FlyteContextManager

    def context(self):
        context = self.manager.current_context()
        mode = context.new_execution_state().Mode.LOCAL_TASK_EXECUTION
        return context.with_execution_state(context.new_execution_state().with_params(mode=mode))

    def literal(self, data):
        from flyteidl.core.literals_pb2 import Literal

        return Literal.FromString(data)


def main() -> None:
    action, path, folder, *rest = sys.argv[1:]
    module = load(path)
    kit = Stock() if "flytekit" in Path(path).read_text() else Ours()
    if action == "encode":
        answer = encode(kit, module, Path(folder))
    else:
        answer = decode(kit, module, json.loads(Path(rest[0]).read_text()))
    print("\nANSWER " + json.dumps(answer))


if __name__ == "__main__":
    main()
