"""`flyte describe execution` and `flyte describe node`."""

from __future__ import annotations

from typing import Any

import click
from flyteidl.admin.execution_pb2 import WorkflowExecutionGetDataRequest
from flyteidl.admin.node_execution_pb2 import NodeExecutionGetDataRequest, NodeExecutionGetRequest
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier, WorkflowExecutionIdentifier
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_cli.client.connection import CALL_SECONDS, Endpoint, admin, find_endpoint
from flyte_cli.executions.facts import error_facts, execution_facts
from flyte_cli.executions.node_facts import node_facts, node_lines, resource_facts
from flyte_cli.executions.node_names import NodeNames
from flyte_cli.executions.node_tree import TreeNode, walk
from flyte_cli.executions.reading import get_execution
from flyte_cli.options.completion_values import executions as known_executions
from flyte_cli.options.completion_values import nodes as known_nodes
from flyte_cli.options.urns import execution_id
from flyte_cli.options.where import domain_option, project_option
from flyte_cli.showing.documents import print_description
from flyte_cli.showing.literal_values import plain_map
from flyte_cli.showing.output import output_option


@click.command()
@click.argument("execution", shell_complete=known_executions)
@project_option
@domain_option
@click.option("--resources", is_flag=True, help="Also what the tasks of the nodes ask for: CPU, memory, …")
@output_option
def executions(execution: str, project: str, domain: str, resources: bool, output: str) -> None:
    """Tell everything about EXECUTION: who started it and when, inputs, outputs, errors whole, nodes and attempts."""
    wanted = execution_id(execution, project, domain)
    endpoint = find_endpoint()
    with admin(endpoint) as stub:
        data = _execution(stub, wanted, endpoint)
        names = NodeNames(stub)
        nodes = [node_facts(stub, each, "" if each.is_inner else names.of(each.row)) for each in walk(stub, wanted)]
        if resources:
            data["resources"] = resource_facts(stub, nodes)
    if output != "table":
        print_description({**data, "nodes": nodes}, output)
        return
    print_description(data, output)
    click.secho("nodes:", bold=True)
    for line in node_lines(nodes, "  "):
        click.echo(line)


def _execution(stub: AdminServiceStub, wanted: WorkflowExecutionIdentifier, endpoint: Endpoint) -> dict[str, Any]:
    row = get_execution(stub, wanted)
    values = stub.GetExecutionData(WorkflowExecutionGetDataRequest(id=wanted), timeout=CALL_SECONDS)
    return {
        **execution_facts(row, endpoint.http_url),
        "inputs": plain_map(values.full_inputs),
        "outputs": plain_map(values.full_outputs),
        "error": error_facts(row.closure),
    }


@click.command()
@click.argument("execution", shell_complete=known_executions)
@click.argument("node", shell_complete=known_nodes)
@project_option
@domain_option
@output_option
def nodes(execution: str, node: str, project: str, domain: str, output: str) -> None:
    """Tell everything about NODE of EXECUTION: inputs, outputs, error, attempts with the reasons of their phases."""
    wanted = NodeExecutionIdentifier(execution_id=execution_id(execution, project, domain), node_id=node)
    with admin() as stub:
        row = stub.GetNodeExecution(NodeExecutionGetRequest(id=wanted), timeout=CALL_SECONDS)
        values = stub.GetNodeExecutionData(NodeExecutionGetDataRequest(id=wanted), timeout=CALL_SECONDS)
        name = NodeNames(stub).of(row) if row.id.node_id == row.metadata.spec_node_id else ""
        facts = node_facts(stub, TreeNode(row), name)
    attempts = facts.pop("attempts")
    data = {**facts, "inputs": plain_map(values.full_inputs), "outputs": plain_map(values.full_outputs)}
    if output == "table":
        numbered = {f"attempt {each['attempt']}": {**each, "attempt": None} for each in attempts}
        print_description({**data, **numbered}, output)
    else:
        print_description({**data, "attempts": attempts}, output)
