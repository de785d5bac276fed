"""Projects, tasks, workflows, launch plans, named entities and descriptions, over gRPC."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from flyteidl.admin.common_pb2 import (
    NamedEntityGetRequest,
    NamedEntityIdentifier,
    NamedEntityIdentifierListRequest,
    NamedEntityListRequest,
    NamedEntityMetadata,
    NamedEntityUpdateRequest,
    ObjectGetRequest,
    ResourceListRequest,
    Sort,
)
from flyteidl.admin.description_entity_pb2 import DescriptionEntityListRequest
from flyteidl.admin.launch_plan_pb2 import (
    ActiveLaunchPlanListRequest,
    ActiveLaunchPlanRequest,
    LaunchPlanState,
    LaunchPlanUpdateRequest,
)
from flyteidl.admin.project_pb2 import (
    GetDomainRequest,
    InactiveProject,
    Project,
    ProjectGetRequest,
    ProjectListRequest,
    ProjectRegisterRequest,
)
from flyteidl.admin.version_pb2 import GetVersionRequest
from flyteidl.admin.workflow_pb2 import CreateWorkflowFailureReason
from flyteidl.core.identifier_pb2 import ResourceType
from flyteidl.core.types_pb2 import SimpleType
from google.rpc.status_pb2 import Status

Code = grpc.StatusCode
SCOPE = NamedEntityIdentifier(project="flytesnacks", domain="development")


async def refused(call: Any, code: grpc.StatusCode, *words: str) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() is code, caught.value
    for word in words:
        assert word in (caught.value.details() or ""), caught.value
    return caught.value


def detail(error: grpc.aio.AioRpcError, message: Any) -> Any:
    packed = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
    status = Status.FromString(packed)
    assert status.message == error.details()
    assert status.details[0].Unpack(message)
    return message


async def test_a_project_is_registered_listed_changed_and_archived(admin: Any) -> None:
    project = Project(id="mine", name="Mine", description="of mine")
    project.labels.values["team"] = "blue"
    await admin.stub.RegisterProject(ProjectRegisterRequest(project=project))
    await refused(admin.stub.RegisterProject(ProjectRegisterRequest(project=project)), Code.ALREADY_EXISTS, "mine")
    listed = (await admin.stub.ListProjects(ProjectListRequest())).projects
    assert [found.id for found in listed] == ["flytesnacks", "mine"]
    assert dict(listed[1].labels.values) == {"team": "blue"}
    assert [domain.id for domain in listed[1].domains] == ["development", "staging", "production"]
    project.state = Project.ARCHIVED
    await admin.stub.UpdateProject(project)
    assert [found.id for found in (await admin.stub.ListProjects(ProjectListRequest())).projects] == ["flytesnacks"]
    archived = await admin.stub.ListProjects(ProjectListRequest(filters="eq(state,1)", limit=5))
    assert [found.id for found in archived.projects] == ["mine"]
    assert (await admin.stub.GetProject(ProjectGetRequest(id="mine"))).state == Project.ARCHIVED


async def test_malformed_projects_are_refused_by_field(sqlite_admin: Any) -> None:
    for project, words in [
        (Project(), ["project.id"]),
        (Project(id="Mine"), ["Mine", "lower-case"]),
        (Project(id="mine", name="n" * 65), ["64"]),
        (Project(id="mine", description="d" * 301), ["300"]),
        (Project(id="mine", labels={"values": {"no label!": ""}}), ["no label!"]),
    ]:
        call = sqlite_admin.stub.RegisterProject(ProjectRegisterRequest(project=project))
        await refused(call, Code.INVALID_ARGUMENT, *words)
    await refused(sqlite_admin.stub.UpdateProject(Project(id="nobody")), Code.NOT_FOUND, "nobody")
    await refused(sqlite_admin.stub.GetProject(ProjectGetRequest(id="nobody")), Code.NOT_FOUND, "nobody")


async def test_the_domains_and_the_version_are_told(sqlite_admin: Any) -> None:
    domains = (await sqlite_admin.stub.GetDomains(GetDomainRequest())).domains
    assert [domain.id for domain in domains] == ["development", "staging", "production"]
    version = (await sqlite_admin.stub.GetVersion(GetVersionRequest())).control_plane_version
    assert version.Version


async def test_a_task_is_registered_once_and_read_back(admin: Any, make: Any) -> None:
    request = make.task()
    request.spec.description.short_description = "doubles"
    request.spec.description.source_code.link = "https://example.org/double"
    await admin.stub.CreateTask(request)
    await refused(admin.stub.CreateTask(request), Code.ALREADY_EXISTS, "task with identical structure already exists")
    other = make.task(image="img:2")
    await refused(
        admin.stub.CreateTask(other), Code.INVALID_ARGUMENT, "different structure", "container.image", "img:1", "img:2"
    )
    found = await admin.stub.GetTask(ObjectGetRequest(id=request.id))
    assert found.id == request.id
    assert found.short_description == "doubles"
    assert found.closure.compiled_task.template.container.image == "img:1"
    assert found.closure.compiled_task.template.id == request.id
    described = await admin.stub.GetDescriptionEntity(ObjectGetRequest(id=request.id))
    assert (described.short_description, described.source_code.link) == ("doubles", "https://example.org/double")
    listed = await admin.stub.ListDescriptionEntities(
        DescriptionEntityListRequest(resource_type=ResourceType.TASK, id=SCOPE, limit=5)
    )
    assert [entity.id for entity in listed.descriptionEntities] == [request.id]


async def test_a_missing_version_is_not_found(admin: Any, make: Any) -> None:
    for call, kind in [
        (admin.stub.GetTask, ResourceType.TASK),
        (admin.stub.GetWorkflow, ResourceType.WORKFLOW),
        (admin.stub.GetLaunchPlan, ResourceType.LAUNCH_PLAN),
    ]:
        missing = ObjectGetRequest(id=make.named(kind, "nothing"))
        await refused(call(missing), Code.NOT_FOUND, "missing entity of type", 'name:"nothing"')


async def test_tasks_that_could_never_run_are_refused_by_field(sqlite_admin: Any, make: Any) -> None:
    def change(**parts: Any) -> Any:
        request = make.task()
        for name, value in parts.items():
            setattr(request.id, name, value)
        return request

    cases: list[tuple[Any, list[str]]] = [
        (change(project=""), ["id.project"]),
        (change(project="nobody"), ["nobody", "registered"]),
        (change(domain="moon"), ["moon", "development"]),
        (change(name="n" * 256), ["id.name", "255"]),
        (change(name="näme"), ["id.name", "ASCII"]),
        (change(version=".."), ["id.version"]),
        (change(name="a\0b"), ["id.name", "control"]),
        (change(resource_type=ResourceType.WORKFLOW), ["resource_type"]),
    ]
    for field in ("interface", "metadata", "type"):
        request = make.task()
        request.spec.template.ClearField(field)
        cases.append((request, [f"spec.template.{field}"]))
    cases.append((make.task(image=""), ["container.image"]))
    request = make.task()
    request.spec.template.container.resources.requests.add(name="CPU", value="2")
    request.spec.template.container.resources.limits.add(name="CPU", value="1")
    cases.append((request, ["cpu", "limit"]))
    for request, words in cases:
        await refused(sqlite_admin.stub.CreateTask(request), Code.INVALID_ARGUMENT, *words)
    everything = ResourceListRequest(id=SCOPE, limit=10)
    assert not (await sqlite_admin.stub.ListTasks(everything)).tasks


async def test_an_archived_project_takes_no_entities_and_says_so_in_the_details(admin: Any, make: Any) -> None:
    await admin.stub.UpdateProject(Project(id="flytesnacks", name="f", state=Project.ARCHIVED))
    error = await refused(admin.stub.CreateTask(make.task()), Code.INVALID_ARGUMENT, "is not active")
    assert detail(error, InactiveProject()).id == "flytesnacks"


async def test_versions_are_paged_and_sorted(admin: Any, make: Any) -> None:
    for version in ("v1", "v2", "v3"):
        await admin.stub.CreateTask(make.task(version=version))
    await admin.stub.CreateTask(make.task("other"))
    newest = ResourceListRequest(id=SCOPE, limit=2, sort_by=Sort(key="created_at"))
    newest.id.name = "double"
    first = await admin.stub.ListTasks(newest)
    newest.token = first.token
    second = await admin.stub.ListTasks(newest)
    assert [task.id.version for task in first.tasks] == ["v3", "v2"]
    assert [task.id.version for task in second.tasks] == ["v1"]
    assert (first.token, second.token) == ("2", "")
    names = NamedEntityIdentifierListRequest(project="flytesnacks", domain="development", limit=10)
    assert [name.name for name in (await admin.stub.ListTaskIds(names)).entities] == ["double", "other"]


async def test_a_workflow_is_compiled_stored_and_read_back(admin: Any, make: Any) -> None:
    await admin.stub.CreateTask(make.task())
    request = make.workflow(tasks=("double", "double"))
    await admin.stub.CreateWorkflow(request)
    compiled = (await admin.stub.GetWorkflow(ObjectGetRequest(id=request.id))).closure.compiled_workflow
    assert [node.id for node in compiled.primary.template.nodes] == ["start-node", "end-node", "n0", "n1"]
    assert [task.template.id.name for task in compiled.tasks] == ["double"]
    assert list(compiled.primary.connections.downstream["n0"].ids) == ["n1"]
    (listed,) = (await admin.stub.ListWorkflows(ResourceListRequest(id=SCOPE, limit=10))).workflows
    assert listed.id == request.id
    assert listed.closure.compiled_workflow.primary.template.interface == request.spec.template.interface
    assert not listed.closure.compiled_workflow.primary.template.nodes
    blobs = [blob.uri async for blob in admin.store.list("mem://flyte/metadata/admin/flytesnacks/development/wf/v1")]
    assert len(blobs) == 1


async def test_a_second_workflow_of_a_version_is_told_apart_by_its_details(admin: Any, make: Any) -> None:
    await admin.stub.CreateTask(make.task())
    request = make.workflow()
    await admin.stub.CreateWorkflow(request)
    error = await refused(admin.stub.CreateWorkflow(request), Code.ALREADY_EXISTS, "identical structure")
    assert detail(error, CreateWorkflowFailureReason()).exists_identical_structure.id == request.id
    other = make.workflow(tasks=("double", "double"))
    error = await refused(admin.stub.CreateWorkflow(other), Code.INVALID_ARGUMENT, "different structure", "n1")
    assert detail(error, CreateWorkflowFailureReason()).exists_different_structure.id == request.id


async def test_a_workflow_that_does_not_compile_is_refused_with_the_compilers_words(admin: Any, make: Any) -> None:
    call = admin.stub.CreateWorkflow(make.workflow())
    await refused(
        call, Code.INVALID_ARGUMENT, "failed to compile workflow", "Collected Errors", "TaskReferenceNotFound"
    )
    assert not (await admin.stub.ListWorkflows(ResourceListRequest(id=SCOPE, limit=10))).workflows


async def with_workflow(admin: Any, make: Any) -> None:
    await admin.stub.CreateTask(make.task())
    await admin.stub.CreateWorkflow(make.workflow())


async def test_a_launch_plan_knows_what_it_expects(admin: Any, make: Any) -> None:
    await with_workflow(admin, make)
    request = make.launch_plan()
    await admin.stub.CreateLaunchPlan(request)
    await refused(admin.stub.CreateLaunchPlan(request), Code.ALREADY_EXISTS, "identical structure already exists")
    plan = await admin.stub.GetLaunchPlan(ObjectGetRequest(id=request.id))
    assert plan.closure.expected_inputs.parameters["x"].required
    assert plan.closure.expected_outputs.variables["o0"].type.simple == SimpleType.INTEGER
    assert plan.closure.state == LaunchPlanState.INACTIVE
    fixed = make.launch_plan(version="v2")
    fixed.spec.fixed_inputs.literals["x"].scalar.primitive.integer = 3
    await admin.stub.CreateLaunchPlan(fixed)
    plan = await admin.stub.GetLaunchPlan(ObjectGetRequest(id=fixed.id))
    assert not plan.closure.expected_inputs.parameters
    changed = make.launch_plan(version="v2")
    await refused(admin.stub.CreateLaunchPlan(changed), Code.INVALID_ARGUMENT, "fixed_inputs", "3")


async def test_launch_plans_that_do_not_fit_are_refused(admin: Any, make: Any) -> None:
    await with_workflow(admin, make)
    unknown, wrong, scheduled, cron, missing = (make.launch_plan() for _ in range(5))
    unknown.spec.fixed_inputs.literals["y"].scalar.primitive.integer = 3
    wrong.spec.default_inputs.parameters["x"].default.scalar.primitive.string_value = "three"
    scheduled.spec.entity_metadata.schedule.cron_schedule.schedule = "@daily"
    cron.spec.fixed_inputs.literals["x"].scalar.primitive.integer = 3
    cron.spec.entity_metadata.schedule.cron_schedule.schedule = "61 * * * *"
    missing.spec.workflow_id.name = "nothing"
    for request, code, words in [
        (unknown, Code.INVALID_ARGUMENT, ["unexpected fixed_input y"]),
        (wrong, Code.INVALID_ARGUMENT, ["default_input x", "INTEGER"]),
        (scheduled, Code.INVALID_ARGUMENT, ["unbound required input. [x] is required"]),
        (cron, Code.INVALID_ARGUMENT, ["Invalid cron expression", "minute"]),
        (missing, Code.NOT_FOUND, ["WORKFLOW", "nothing"]),
    ]:
        await refused(admin.stub.CreateLaunchPlan(request), code, *words)


async def test_of_each_name_one_launch_plan_is_active(admin: Any, make: Any) -> None:
    await with_workflow(admin, make)
    first, second = make.launch_plan(version="v1"), make.launch_plan(version="v2")
    name = NamedEntityIdentifier(project="flytesnacks", domain="development", name="wf")
    await refused(admin.stub.GetActiveLaunchPlan(ActiveLaunchPlanRequest(id=name)), Code.NOT_FOUND, "No active")
    for request in (first, second):
        await admin.stub.CreateLaunchPlan(request)
        await admin.stub.UpdateLaunchPlan(LaunchPlanUpdateRequest(id=request.id, state=LaunchPlanState.ACTIVE))
    active = await admin.stub.GetActiveLaunchPlan(ActiveLaunchPlanRequest(id=name))
    assert (active.id, active.closure.state) == (second.id, LaunchPlanState.ACTIVE)
    listed = await admin.stub.ListActiveLaunchPlans(
        ActiveLaunchPlanListRequest(project="flytesnacks", domain="development", limit=10)
    )
    assert [plan.id for plan in listed.launch_plans] == [second.id]
    old = await admin.stub.GetLaunchPlan(ObjectGetRequest(id=first.id))
    assert old.closure.state == LaunchPlanState.INACTIVE
    by_workflow = ResourceListRequest(id=SCOPE, limit=10, filters="eq(workflow.name,wf)+eq(state,1)")
    assert [p.id for p in (await admin.stub.ListLaunchPlans(by_workflow)).launch_plans] == [second.id]
    await admin.stub.UpdateLaunchPlan(LaunchPlanUpdateRequest(id=second.id, state=LaunchPlanState.INACTIVE))
    await refused(admin.stub.GetActiveLaunchPlan(ActiveLaunchPlanRequest(id=name)), Code.NOT_FOUND)


async def test_a_name_has_a_description_and_a_state(admin: Any, make: Any) -> None:
    for name in ("double", "half"):
        await admin.stub.CreateTask(make.task(name))
    name = NamedEntityIdentifier(project="flytesnacks", domain="development", name="double")
    metadata = NamedEntityMetadata(description="times two", state=1)
    request = NamedEntityUpdateRequest(resource_type=ResourceType.TASK, id=name, metadata=metadata)
    await admin.stub.UpdateNamedEntity(request)
    found = await admin.stub.GetNamedEntity(NamedEntityGetRequest(resource_type=ResourceType.TASK, id=name))
    assert found.metadata == metadata
    every = NamedEntityListRequest(
        resource_type=ResourceType.TASK,
        project="flytesnacks",
        domain="development",
        limit=10,
        sort_by=Sort(key="name", direction=Sort.ASCENDING),
    )
    listed = (await admin.stub.ListNamedEntities(every)).entities
    assert [(entity.id.name, entity.metadata.state) for entity in listed] == [("double", 1), ("half", 0)]
    every.filters = "eq(state,0)"
    assert [entity.id.name for entity in (await admin.stub.ListNamedEntities(every)).entities] == ["half"]
    request.id.name = "nothing"
    await refused(admin.stub.UpdateNamedEntity(request), Code.NOT_FOUND, "nothing")
