"""The configuration: every wrong key and value is named, and links to logs are what it says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flyteidl.core.execution_pb2 import TaskLog

from flyte_core.errors import ConfigError
from flyte_core.hookspecs import PluginContext
from flyte_plugin_pod import plugin

from .conftest import context, task_type


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"default-env-var": {}}, "plugins.pod has no key 'default-env-var': did you mean 'default-env-vars'?"),
        ({"default_env_vars": {}}, "did you mean 'default-env-vars'?"),
        ({"zzz": 1}, "plugins.pod has no key 'zzz'; keys are co-pilot, create-container-config-error-grace-period, "),
        ({"default-labels": ["x"]}, "plugins.pod.default-labels: 'x' is no mapping"),
        ({"default-labels": {"a": ["x"]}}, "plugins.pod.default-labels.a: ['x'] is no text"),
        ({"default-tolerations": {"key": "x"}}, "plugins.pod.default-tolerations: {'key': 'x'} is no list of mappings"),
        ({"resource-tolerations": {"g": "x"}}, "plugins.pod.resource-tolerations.g: 'x' is no list of mappings"),
        ({"interruptible-node-selector-requirement": 1}, "1 is no mapping"),
        ({"default-env-from-secrets": "x"}, "plugins.pod.default-env-from-secrets: 'x' is no list of names"),
        ({"default-cpus": "many"}, "plugins.pod.default-cpus: 'many' is not a Kubernetes quantity"),
        ({"image-pull-policy": 3}, "plugins.pod.image-pull-policy: 3 is no text"),
        ({"pod-pending-timeout": "soon"}, "plugins.pod.pod-pending-timeout: 'soon' is no duration"),
        ({"pod-pending-timeout": -1}, "-1 is no duration"),
        ({"default-pod-template-name": "x"}, "'x' is not among pod-templates"),
        ({"logs": {"tempates": []}}, "plugins.pod.logs: there is no key 'tempates'; keys are kubernetes-enabled"),
        ({"logs": {"kubernetes-enabled": "yes"}}, "plugins.pod.logs: 'yes' is neither true nor false"),
        ({"logs": {"templates": [{"uri": "x"}]}}, "plugins.pod.logs: there is no key 'uri'; keys are displayName"),
        ({"logs": {"templates": [{"messageFormat": "xml"}]}}, "plugins.pod.logs.messageFormat: 'xml' is none of"),
        ({"logs": {"dynamic-log-links": {"v": 1}}}, "plugins.pod.logs.v: 1 is no mapping"),
    ],
)
def test_a_wrong_key_or_value_is_named(section: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plugin.flyte_task_types(PluginContext(config=section))
    assert told in str(caught.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigError, match=r"no key 'a'.*no key 'b'.*default-cpus"):
        plugin.flyte_task_types(PluginContext(config={"a": 1, "b": 2, "default-cpus": []}))


def test_both_plugin_ids_serve_what_the_metadata_claims() -> None:
    served = {item.plugin_id: tuple(item.task_types) for item in plugin.flyte_task_types(PluginContext())}
    containers = ("container", "python-task", "raw-container", "sqlite", "eager_failure_handler_task")
    assert served == {"container": containers, "sidecar": ("sidecar",)}


RUNNING = {
    "metadata": {"name": "ex-n0-0", "namespace": "p-d", "uid": "u", "annotations": {"primary_container_name": "c"}},
    "spec": {"nodeName": "node", "hostname": "host", "containers": [{"name": "c"}]},
    "status": {
        "phase": "Running",
        "startTime": "2024-01-01T00:00:00Z",
        "containerStatuses": [
            {
                "name": "c",
                "containerID": "containerd://abc",
                "state": {"running": {"startedAt": "2024-01-01T00:00:01Z"}},
            }
        ],
    },
}


def links(template: dict[str, Any], phase: str = "Running", **logs: Any) -> list[TaskLog]:
    config = {"kubernetes-enabled": False, "templates": [template], **logs}
    pod = {**RUNNING, "status": {**RUNNING["status"], "phase": phase}}
    ctx = replace(context(), template=context().template)
    ctx.template.config.update({"link_type": "vscode", "port": "8080"})
    return list(task_type(logs=config).observe(ctx, pod).logs)


def test_a_template_is_filled_with_what_is_known() -> None:
    uri = (
        "{{ .namespace }}/{{.podName}}/{{$podUID}}/{{.PODNAME}}/{{.containerName}}/{{.containerId}}/{{.nodeName}}/"
        "{{.hostname}}/{{.generatedName}}/{{.nodeID}}/{{.taskRetryAttempt}}/{{.taskProject}}/{{.taskDomain}}/"
        "{{.taskID}}/{{.taskVersion}}/{{.executionProject}}/{{.executionDomain}}/{{.executionName}}/"
        "{{.podUnixStartTime}}/{{.podRFC3339StartTime}}/{{.podUnixFinishTime}}/{{.taskConfig.port}}/{{.other}}"
    )
    [link] = links({"displayName": "Mine", "templateUris": [uri], "messageFormat": "csv"})
    assert link.name == "Mine (User)"
    assert link.message_format == TaskLog.CSV
    assert link.uri == (
        "p-d/ex-n0-0/u/ex-n0-0/c/abc/node/host/ex-n0-0/n0/0/p/d/m.t/v/p/d/ex/"
        "1704067200/2024-01-01T00:00:00Z/1704067201/8080/{{.other}}"
    )


def test_links_are_shown_when_the_template_says() -> None:
    plain = {"displayName": "a", "templateUris": ["x"]}
    assert [len(links(plain, phase)) for phase in ("Pending", "Running", "Succeeded")] == [0, 1, 1]
    early = {**plain, "showWhilePending": True, "hideOnceFinished": True}
    assert [len(links(early, phase)) for phase in ("Pending", "Running", "Succeeded")] == [1, 1, 0]


def test_a_link_type_of_the_task_adds_its_links() -> None:
    dynamic = {"vscode": {"displayName": "VSCode", "templateUris": ["v/{{ .taskConfig.port }}"]}, "other": {}}
    found = links({"displayName": "a", "templateUris": ["x"]}, **{"dynamic-log-links": dynamic})
    assert [(link.name, link.uri) for link in found] == [("a (User)", "x"), ("VSCode (User)", "v/8080")]


def test_the_built_in_link_has_a_configured_address() -> None:
    config = {"kubernetes-template-uri": "http://logs/{{ .podName }}"}
    [link] = task_type(logs=config).observe(context(), RUNNING).logs
    assert link.uri == "http://logs/ex-n0-0"
