"""Plugins are found in metadata, judged before import, loaded alone, and cannot take anything else with them."""

import itertools
import sys

import pytest

from flyte_core.errors import ConfigError, NotFound, PluginError
from flyte_core.plugin_metadata import scan
from flyte_core.plugins import DISABLED_VARIABLE, PluginManager, PluginStatus

GOOD = """
from flyte_core.cluster import POD
from flyte_core.hookspecs import hookimpl
from flyte_core.testing.fakes import MemoryStore, RecordingSink

class Type:
    plugin_id = "{name}"
    task_types = ({types})
    kind = POD
    name_limit = 50
    def build(self, ctx): return {{}}
    def observe(self, ctx, resource): return None

@hookimpl
def flyte_task_types(ctx):
    seen.append(ctx.config)
    return [Type()]

@hookimpl
def flyte_storage(ctx):
    return MemoryStore(ctx.scheme + "://")

@hookimpl
def flyte_event_sinks(ctx):
    return [RecordingSink("{name}")]

seen = []
"""


class Site:
    """A folder on the path into which distributions are put, as an installer would."""

    numbers = itertools.count()

    def __init__(self, path):
        self.path = path

    def install(self, distribution, plugins, *, claims="", headers="Requires-Dist: flyte-core>=0.1,<0.2", name=None):
        points = []
        for plugin, source in plugins.items():
            module = f"core_plugin_{plugin.replace('-', '_')}_{next(self.numbers)}"
            (self.path / f"{module}.py").write_text(source)
            points.append(f"{plugin} = {module}")
        folder = self.path / f"{distribution.replace('-', '_')}-1.0.dist-info"
        folder.mkdir()
        head = f"Metadata-Version: 2.1\nName: {name or distribution}\nVersion: 1.0\nSummary: s\n"
        (folder / "METADATA").write_text(f"{head}{headers}\n")
        listed = "[flyte.plugins]\n" + "\n".join(points) + "\n" if points else ""
        (folder / "entry_points.txt").write_text(f"{listed}{claims}")

    def manager(self, config=None):
        return PluginManager(scan([str(self.path)]), config)

    def record(self, name, config=None):
        return next(each for each in self.manager(config).plugins() if each.metadata.name == name)


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv(DISABLED_VARIABLE, raising=False)
    return Site(tmp_path)


def good(name, *types):
    return {name: GOOD.format(name=name, types="".join(f"{each!r}, " for each in types))}


def types(**claimed):
    return "[flyte.task_types]\n" + "".join(f"{each.replace('_', '-')} = {name}\n" for each, name in claimed.items())


def test_nothing_is_imported_before_it_is_asked_for(site):
    site.install("dist-a", good("a", "type-a"), claims=types(type_a="a"))
    before = set(sys.modules)
    manager = site.manager({"a": {"x": 1}})
    [record] = manager.plugins()
    assert (record.metadata.name, record.metadata.version, record.metadata.task_types) == ("a", "1.0", ("type-a",))
    assert record.status is PluginStatus.AVAILABLE
    assert not [name for name in set(sys.modules) - before if name.startswith("core_plugin")]
    assert manager.task_type("type-a").plugin_id == "a"
    assert manager.task_type("type-a") is manager.task_type("type-a")
    assert record.status is PluginStatus.LOADED
    [module] = [sys.modules[name] for name in set(sys.modules) - before if name.startswith("core_plugin")]
    assert module.seen == [{"x": 1}]


def test_a_missing_plugin_is_answered_with_the_package_to_install(site):
    manager = site.manager()
    with pytest.raises(NotFound, match="pip install flyte-plugin-pod"):
        manager.task_type("python-task")
    with pytest.raises(NotFound, match=r"flyte\.task_types"):
        manager.task_type("unheard-of")
    with pytest.raises(NotFound, match="pip install flyte-plugin-s3"):
        manager.storage("s3")


@pytest.mark.parametrize(
    "source",
    [
        "raise RuntimeError('at import')",
        "import sys; sys.exit(3)",
        "import no_such_module_anywhere",
        "this is no Python",
        "import asyncio; raise asyncio.CancelledError",
        "from flyte_core.hookspecs import hookimpl\n@hookimpl\ndef flyte_tsk_types(ctx): return []",
        "from flyte_core.hookspecs import hookimpl\n@hookimpl\ndef flyte_task_types(wrong): return []",
        "from flyte_core.hookspecs import hookimpl\n@hookimpl\ndef flyte_task_types(ctx):\n yield 1\n raise SystemExit",
        "from flyte_core.hookspecs import hookimpl\n@hookimpl\ndef flyte_task_types(ctx): return [object()]",
        "from flyte_core.hookspecs import hookimpl\n@hookimpl\ndef flyte_task_types(ctx): raise SystemExit('no')",
    ],
    ids=lambda source: source.rsplit("\n", 1)[-1],
)
def test_a_broken_plugin_is_listed_with_its_reason_and_breaks_nothing(site, source):
    site.install("dist-a", {"a": source}, claims=types(type_a="a"))
    site.install("dist-b", good("b", "type-b"), claims=types(type_b="b"))
    manager = site.manager()
    for _ in range(2):
        with pytest.raises(PluginError, match="plugin 'a'"):
            manager.task_type("type-a")
    assert manager.task_type("type-b").plugin_id == "b"
    broken, loaded = manager.plugins()
    assert (broken.status, loaded.status) == (PluginStatus.BROKEN, PluginStatus.LOADED)
    assert broken.reason
    assert broken.reason in manager.why("type-a")
    assert broken.reason in manager.why("a")


def test_the_users_interrupt_is_not_the_plugins_fault(site):
    site.install("dist-a", {"a": "raise KeyboardInterrupt"}, claims=types(type_a="a"))
    manager = site.manager()
    with pytest.raises(KeyboardInterrupt):
        manager.task_type("type-a")
    assert manager.plugins()[0].status is PluginStatus.AVAILABLE


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ("Requires-Dist: flyte-core>=0.2", "flyte-core >=0.2"),
        ("Requires-Dist: flyte_core<0.1", "flyte-core <0.1"),
        ("Requires-Python: >=4", "Python >=4"),
        ("Classifier: Operating System :: Microsoft :: Windows", "Microsoft :: Windows"),
        ("Classifier: Operating System :: POSIX :: AIX", "POSIX :: AIX"),
        ("Requires-Dist: flyte-core>>1", "malformed"),
        ("Requires-Python: nonsense", "malformed"),
    ],
)
def test_what_does_not_fit_is_refused_without_import(site, headers, reason, monkeypatch):
    monkeypatch.setattr("platform.system", lambda: "Linux")
    site.install("dist-a", {"a": "raise RuntimeError('imported')"}, claims=types(type_a="a"), headers=headers)
    record = site.record("a")
    assert record.status is PluginStatus.REFUSED
    assert reason in record.reason
    with pytest.raises(NotFound, match="refused"):
        site.manager().task_type("type-a")


@pytest.mark.parametrize(
    "headers",
    [
        "Requires-Python: >=3.8",
        "Requires-Dist: flyte-core>=9; extra == 'later'",
        "Requires-Dist: flyte-core>=9; python_version < '3'",
        "Classifier: Operating System :: POSIX :: Linux\nClassifier: Operating System :: MacOS",
        "Classifier: Operating System :: OS Independent",
        "Author: nobody",
    ],
)
def test_what_fits_is_available(site, headers, monkeypatch):
    monkeypatch.setattr("platform.system", lambda: "Linux")
    site.install("dist-a", good("a", "type-a"), headers=headers)
    assert site.record("a").status is PluginStatus.AVAILABLE


def test_two_claims_on_a_task_type_need_a_choice_that_names_both(site):
    site.install("dist-a", good("a", "same", "type-a"), claims=types(same="a", type_a="a"))
    site.install("dist-b", good("b", "same"), claims=types(same="b"))
    manager = site.manager()
    with pytest.raises(ConfigError, match=r"dist-a 1\.0.*dist-b 1\.0.*plugins\.task_types\.same"):
        manager.task_type("same")
    assert manager.task_type("type-a").plugin_id == "a"
    assert site.manager({"task_types": {"same": "b"}}).task_type("same").plugin_id == "b"
    assert site.manager({"disabled": ["a"]}).task_type("same").plugin_id == "b"
    with pytest.raises(ConfigError, match="'c', but"):
        site.manager({"task_types": {"same": "c"}}).task_type("same")


def test_a_broken_claimant_does_not_hand_its_tasks_to_another(site):
    site.install("dist-a", {"a": "raise RuntimeError"}, claims=types(same="a", other="a"))
    site.install("dist-b", good("b", "same"), claims=types(same="b"))
    manager = site.manager()
    with pytest.raises(PluginError):
        manager.task_type("other")
    with pytest.raises(ConfigError, match="claimed by"):
        manager.task_type("same")


def test_two_claims_on_a_scheme_need_a_choice(site):
    for name in "ab":
        site.install(f"dist-{name}", good(name), claims=f"[flyte.storage]\nMem = {name}\n")
    with pytest.raises(ConfigError, match=r"plugins\.storage\.mem"):
        site.manager().storage("mem")
    manager = site.manager({"storage": {"mem": "a"}})
    assert manager.storage("MEM").owns("mem://x")
    assert manager.storage("mem") is manager.storage("MEM")
    assert "'a' of dist-a" in manager.why("mem://")


def test_one_name_in_two_distributions_is_refused(site):
    for name in ("dist-a", "dist-b"):
        site.install(name, good("same", f"type-{name}"), claims=f"[flyte.task_types]\ntype-{name} = same\n")
    records = site.manager().plugins()
    assert [each.status for each in records] == [PluginStatus.REFUSED] * 2
    assert all("dist-a 1.0" in each.reason and "dist-b 1.0" in each.reason for each in records)


def test_a_claim_for_a_plugin_that_is_not_there_is_told(site):
    site.install("dist-a", {}, claims=types(type_a="ghost"))
    with pytest.raises(NotFound, match="no entry point 'ghost'"):
        site.manager().task_type("type-a")


def test_a_reserved_name_is_refused(site):
    site.install("dist-a", good("task_types"))
    assert "reserved" in site.record("task_types").reason


def test_metadata_that_cannot_be_read_is_the_problem_of_one_plugin(site):
    site.install("dist-a", {}, claims="[flyte.plugins]\nno equals sign\n")
    site.install("dist-b", good("b", "type-b"), claims=types(type_b="b"))
    assert site.manager().task_type("type-b").plugin_id == "b"
    assert "malformed" in site.record("dist-a").reason


def test_the_first_of_a_distribution_on_the_path_counts(site, tmp_path):
    site.install("dist-a", good("a", "type-a"))
    other = Site(tmp_path / "later")
    other.path.mkdir()
    other.install("dist-a", good("a", "type-a"), name="Dist_A")
    assert len(scan([str(site.path), str(other.path)])) == 1


@pytest.mark.parametrize(("value", "left"), [("a", ["b"]), (" a , b", []), ("*", []), ("", ["a", "b"])])
def test_the_environment_disables_plugins(site, monkeypatch, value, left):
    for name in "ab":
        site.install(f"dist-{name}", good(name, f"type-{name}"), claims=types(**{f"type_{name}": name}))
    monkeypatch.setenv(DISABLED_VARIABLE, value)
    usable = [each.metadata.name for each in site.manager().plugins() if each.status is PluginStatus.AVAILABLE]
    assert usable == left


def test_a_plugin_that_offers_less_than_it_claims_keeps_the_rest(site):
    site.install("dist-a", good("a", "type-a"), claims=types(type_a="a", more="a"))
    manager = site.manager()
    with pytest.raises(PluginError, match="claims task type 'more', but it offers type-a"):
        manager.task_type("more")
    assert manager.task_type("type-a").plugin_id == "a"
    assert "offers type-a" in manager.why("more")


def test_sinks_come_from_every_plugin_that_claims_some_and_works(site):
    site.install("dist-a", good("a"), claims="[flyte.event_sinks]\nlog = a\n")
    site.install("dist-b", {"b": "raise RuntimeError('no')"}, claims="[flyte.event_sinks]\nbus = b\n")
    site.install("dist-c", good("c"))
    manager = site.manager()
    assert [sink.name for sink in manager.event_sinks()] == ["a"]
    assert [each.status for each in manager.plugins()] == [
        PluginStatus.LOADED,
        PluginStatus.BROKEN,
        PluginStatus.AVAILABLE,
    ]


@pytest.mark.parametrize("config", [{"disabled": "a"}, {"task_types": ["a"]}, {"storage": "a"}])
def test_configuration_of_the_wrong_shape_names_the_setting(config):
    with pytest.raises(ConfigError, match=rf"plugins\.{next(iter(config))}"):
        PluginManager([], config)


def test_a_section_of_the_wrong_shape_breaks_no_plugin(site):
    site.install("dist-a", good("a", "type-a"), claims=types(type_a="a"))
    manager = site.manager({"a": "text"})
    with pytest.raises(ConfigError, match=r"plugins\.a"):
        manager.task_type("type-a")
    assert manager.plugins()[0].status is PluginStatus.AVAILABLE
