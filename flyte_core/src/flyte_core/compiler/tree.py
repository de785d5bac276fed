"""The nodes of one workflow as the compiler writes them: start and end node, branch cases renamed, promises named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flyteidl.core.literals_pb2 import BindingData
from flyteidl.core.types_pb2 import OutputReference
from flyteidl.core.workflow_pb2 import BranchNode, Node, WorkflowTemplate

from flyte_core.compiler.problems import Code, Problems
from flyte_core.paths import END_NODE, START_NODE


@dataclass(frozen=True, slots=True)
class Tree:
    """The nodes of a workflow.

    :ivar template: the compiled template; the nodes below are parts of it
    :ivar top: nodes of the workflow itself by id, in order, without start and end node
    :ivar cases: nodes inside branches by their compiled ids
    :ivar holder: for each case the top-level branch node around it
    """

    template: WorkflowTemplate
    top: dict[str, Node]
    cases: dict[str, Node]
    holder: dict[str, str]

    def everything(self) -> Iterator[tuple[str, Node]]:
        """Yield id and node of each, top-level nodes and cases."""
        yield from self.top.items()
        yield from self.cases.items()


def build_tree(source: WorkflowTemplate, problems: Problems) -> Tree:
    """Copy a template into its compiled form and index its nodes.

    As in upstream, a second node with an id already seen is dropped without a word, given start and end nodes too.
    """
    template = WorkflowTemplate()
    template.CopyFrom(source)
    del template.nodes[:]
    template.nodes.add(id=START_NODE)
    template.nodes.add(id=END_NODE, inputs=template.outputs)
    top: dict[str, Node] = {}
    for node in source.nodes:
        if _id_is_usable(node, problems) and node.id not in top and node.id not in (START_NODE, END_NODE):
            top[node.id] = template.nodes.add()
            top[node.id].CopyFrom(node)
    tree = Tree(template, top, {}, {})
    for node_id, node in top.items():
        _index_cases(tree, node, node_id, problems)
    for binding in template.outputs:
        _name_start_node(binding.binding)
    for node in (template.nodes[1], *top.values(), *tree.cases.values(), template.failure_node):
        for binding in node.inputs:
            _name_start_node(binding.binding)
    if not source.HasField("failure_node"):
        template.ClearField("failure_node")
    return tree


def _id_is_usable(node: Node, problems: Problems) -> bool:
    if not node.id:
        problems.add(Code.VALUE_REQUIRED, "", "Value required [id] of a node.")
        return False
    if "/" in node.id or not node.id.isprintable():
        # Ids become folders of the object store and parts of Kubernetes names.
        problems.add(Code.INVALID_VALUE, node.id, "A node id must be printable and without '/'.")
        return False
    return True


def case_nodes(branch: BranchNode) -> Iterator[Node]:
    """Yield the node of each case of a branch, the default's last."""
    block = branch.if_else
    if block.case.HasField("then_node"):
        yield block.case.then_node
    for case in block.other:
        if case.HasField("then_node"):
            yield case.then_node
    if block.HasField("else_node"):
        yield block.else_node


def _index_cases(tree: Tree, node: Node, holder: str, problems: Problems) -> None:
    if node.WhichOneof("target") != "branch_node":
        return
    for case in case_nodes(node.branch_node):
        if not _id_is_usable(case, problems):
            continue
        case.id = f"{node.id}-{case.id}"
        if case.id in tree.top or case.id in tree.cases:
            problems.add(Code.DUPLICATE_ID, case.id, f"Node id [{case.id}] is used by another node.")
            continue
        tree.cases[case.id] = case
        tree.holder[case.id] = holder
        _index_cases(tree, case, holder, problems)


def _name_start_node(binding: BindingData) -> None:
    for promise in promises(binding):
        if not promise.node_id:
            promise.node_id = START_NODE


def promises(binding: BindingData) -> Iterator[OutputReference]:
    """Yield every promise within a binding, those inside lists and maps too."""
    match binding.WhichOneof("value"):
        case "promise":
            yield binding.promise
        case "collection":
            for item in binding.collection.bindings:
                yield from promises(item)
        case "map":
            for item in binding.map.bindings.values():
                yield from promises(item)
