"""Program of one side: serialize every program of a folder and write what would be registered.

``serialize_programs.py FOLDER`` writes ``{program: [[kind, name, hex of the message], …]}`` to standard output.
"""

import importlib
import json
import sys
import traceback
from pathlib import Path


class Stock:
    def __init__(self):
        from flytekit.configuration import FastSerializationSettings, Image, ImageConfig, SerializationSettings
        from flytekit.core.context_manager import FlyteContextManager, FlyteEntities
        from flytekit.core.launch_plan import LaunchPlan
        from flytekit.tools.serialize_helpers import get_registrable_entities

        self.entities, self.plans = FlyteEntities.entities, LaunchPlan.CACHE
        self.manager, self.collect = FlyteContextManager, get_registrable_entities
        self.settings = settings(SerializationSettings, FastSerializationSettings, Image, ImageConfig)

    def serialize(self):
        context = self.manager.current_context().with_serialization_settings(self.settings).build()
        with self.manager.with_context(context.new_builder()):
            return [message.to_flyte_idl() for message in self.collect(context)]


class Ours:
    def __init__(self):
        from flyte_kit.configuration import FastSerializationSettings, Image, ImageConfig, SerializationSettings
        from flyte_kit.core.context_manager import FlyteEntities
        from flyte_kit.core.launch_plan import LaunchPlan
        from flyte_kit.serialization.registrable import registrable_entities

        self.entities, self.plans = FlyteEntities.entities, LaunchPlan.CACHE
        self.collect = registrable_entities
        self.settings = settings(SerializationSettings, FastSerializationSettings, Image, ImageConfig)

    def serialize(self):
        return self.collect(self.settings)


def settings(settings_class, fast_class, image_class, config_class):
    default = image_class(name="default", fqn="registry.example/default", tag="v1")
    other = image_class(name="other", fqn="registry.example/other", tag="v2")
    return settings_class(
        image_config=config_class(default_image=default, images=[default, other]),
        project="p",
        domain="d",
        version="v",
        env={"SHARED": "registration", "REGISTERED": "1"},
        fast_serialization_settings=fast_class(
            enabled=True, destination_dir=".", distribution_location="s3://bucket/code.tar.gz"
        ),
    )


def described(message):
    kind = type(message).__name__
    name = message.id.name if kind == "LaunchPlan" else message.template.id.name
    return [kind, name, message.SerializeToString(deterministic=True).hex()]


def main() -> None:
    folder = Path(sys.argv[1])
    sys.path.insert(0, str(folder))
    kit = Stock() if "flytekit" in (folder / "plain_task.py").read_text() else Ours()
    answer = {}
    for path in sorted(folder.glob("*.py")):
        kit.entities.clear()
        kit.plans.clear()
        try:
            importlib.import_module(path.stem)
            answer[path.stem] = [described(message) for message in kit.serialize()]
        except Exception:
            answer[path.stem] = traceback.format_exc()
    print("\nANSWER " + json.dumps(answer))


if __name__ == "__main__":
    main()
