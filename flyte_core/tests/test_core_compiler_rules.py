"""The compiler's rules: what it adds, and what it refuses with which words."""

import pytest
from flyteidl.admin.workflow_pb2 import WorkflowSpec
from flyteidl.core.compiler_pb2 import CompiledTask
from flyteidl.core.condition_pb2 import BooleanExpression, ComparisonExpression, ConjunctionExpression, Operand
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from flyteidl.core.interface_pb2 import TypedInterface, Variable, VariableMap
from flyteidl.core.literals_pb2 import (
    Binding,
    BindingData,
    BindingDataCollection,
    BindingDataMap,
    Primitive,
    Scalar,
    UnionInfo,
)
from flyteidl.core.tasks_pb2 import TaskTemplate
from flyteidl.core.types_pb2 import (
    Error,
    LiteralType,
    OutputReference,
    PromiseAttribute,
    SimpleType,
    TypeStructure,
    UnionType,
)
from flyteidl.core.workflow_pb2 import (
    Alias,
    ApproveCondition,
    ArrayNode,
    BranchNode,
    GateNode,
    IfBlock,
    IfElseBlock,
    Node,
    SignalCondition,
    SleepCondition,
    TaskNode,
    WorkflowNode,
    WorkflowTemplate,
)
from google.protobuf.wrappers_pb2 import BoolValue

from flyte_core.compiler import Code, CompileErrors, LaunchPlanInterface, compile_workflow
from flyte_core.errors import UserError

INT, STR, BOOL, NONE, STRUCT = (
    LiteralType(simple=kind)
    for kind in (SimpleType.INTEGER, SimpleType.STRING, SimpleType.BOOLEAN, SimpleType.NONE, SimpleType.STRUCT)
)


def listed(kind):
    return LiteralType(collection_type=kind)


def union(*variants):
    return LiteralType(union_type=UnionType(variants=variants))


def identifier(name, kind=ResourceType.TASK):
    return Identifier(resource_type=kind, project="p", domain="d", name=name, version="1")


def interface(inputs, outputs):
    def side(variables):
        return VariableMap(variables={name: Variable(type=kind) for name, kind in variables.items()})

    return TypedInterface(inputs=side(inputs), outputs=side(outputs))


def task(name, inputs, outputs):
    return CompiledTask(template=TaskTemplate(id=identifier(name), type="t", interface=interface(inputs, outputs)))


STEP = task("step", {"x": INT}, {"o0": INT})
VOID = task("void", {}, {})
WORD = task("word", {"s": STR}, {"o0": STR})
LISTS = task("lists", {"xs": listed(INT)}, {"o0": listed(INT)})
MAYBE = task("maybe", {"x": union(INT, NONE)}, {"o0": INT})
FIELDS = TypeStructure(dataclass_type={"a": INT, "xs": listed(STR)})
CLASSY = task(
    "classy",
    {},
    {
        "o0": LiteralType(
            simple=SimpleType.STRUCT, structure=TypeStructure(dataclass_type={"a": INT, "xs": listed(STR)})
        )
    },
)
EITHER = task("either", {"v": union(listed(INT), listed(STR))}, {})
TASKS = [STEP, VOID, WORD, LISTS, MAYBE, CLASSY, EITHER]


def promise(node_id, var="o0", *path):
    attributes = [
        PromiseAttribute(int_value=step) if isinstance(step, int) else PromiseAttribute(string_value=step)
        for step in path
    ]
    return BindingData(promise=OutputReference(node_id=node_id, var=var, attr_path=attributes))


def number(value):
    return BindingData(scalar=Scalar(primitive=Primitive(integer=value)))


def many(*items, target=None):
    return BindingData(collection=BindingDataCollection(bindings=items), union=target and UnionInfo(targetType=target))


def bindings(bound):
    return [Binding(var=var, binding=data) for var, data in bound.items()]


def node(node_id, task_name="step", after=(), **bound):
    target = TaskNode(reference_id=identifier(task_name))
    return Node(id=node_id, task_node=target, inputs=bindings(bound), upstream_node_ids=after)


def workflow(*nodes, inputs=None, outputs=None, name="wf", **others):
    outputs = outputs or {}
    return WorkflowTemplate(
        id=identifier(name, ResourceType.WORKFLOW),
        interface=interface(inputs or {}, {var: kind for var, (kind, _) in outputs.items()}),
        nodes=nodes,
        outputs=bindings({var: data for var, (_, data) in outputs.items()}),
        **others,
    )


def compiled(template, subs=(), plans=()):
    return compile_workflow(WorkflowSpec(template=template, sub_workflows=subs), TASKS, plans)


def problems(template, subs=(), plans=()):
    with pytest.raises(CompileErrors) as caught:
        compiled(template, subs, plans)
    return [(problem.code, problem.node_id, problem.description) for problem in caught.value.problems]


def connections(closure):
    both = closure.primary.connections
    return (
        {node_id: list(edge.ids) for node_id, edge in both.downstream.items()},
        {node_id: list(edge.ids) for node_id, edge in both.upstream.items()},
    )


def test_nodes_hang_between_start_and_end_in_sorted_lists():
    closure = compiled(workflow(node("b", x=promise("", "i")), node("a", "void", after=["b"]), inputs={"i": INT}))
    assert [each.id for each in closure.primary.template.nodes] == ["start-node", "end-node", "b", "a"]
    assert closure.primary.template.nodes[2].inputs[0].binding.promise.node_id == "start-node"
    downstream, upstream = connections(closure)
    assert downstream == {"start-node": ["b"], "b": ["a"], "a": ["end-node"]}
    assert upstream == {"b": ["start-node"], "a": ["b"], "end-node": ["a"]}


def test_a_passed_through_input_is_an_edge_from_start_to_end():
    template = workflow(node("n0", "void"), inputs={"i": INT}, outputs={"o": (INT, promise("", "i"))})
    downstream, _ = connections(compiled(template))
    assert downstream["start-node"] == ["end-node", "n0"]


def test_the_second_of_two_nodes_with_one_id_is_dropped():
    closure = compiled(workflow(node("n0", x=number(1)), node("n0", "void")))
    assert [each.id for each in closure.primary.template.nodes] == ["start-node", "end-node", "n0"]
    assert closure.primary.template.nodes[2].task_node.reference_id.name == "step"


def test_only_used_tasks_are_in_the_closure_once_and_sorted():
    closure = compiled(workflow(node("n0", "void"), node("n1", x=number(1)), node("n2", "void")))
    assert [each.template.id.name for each in closure.tasks] == ["step", "void"]


def test_the_request_is_not_changed():
    spec = WorkflowSpec(template=workflow(branch_node("n0", node("n0", "void")), inputs={"flag": BOOL}))
    before = spec.SerializeToString(deterministic=True)
    compile_workflow(spec, TASKS)
    assert spec.SerializeToString(deterministic=True) == before


def test_errors_have_upstreams_text():
    with pytest.raises(UserError) as caught:
        compiled(workflow(node("n0", "nowhere"), node("n1", x=BindingData())))
    assert str(caught.value) == (
        "Collected Errors: 2\n"
        "\tError 0: Code: TaskReferenceNotFound, Node Id: n0, Description: Referenced Task [p:d:nowhere:1] not found.\n"
        "\tError 1: Code: ValueRequired, Node Id: n1, Description: Variable [x]: Value required.\n"
    )


def test_a_workflow_without_nodes_is_refused():
    assert problems(workflow())[0][:2] == (Code.NO_NODES_FOUND, "wf")


@pytest.mark.parametrize(
    ("bad", "code", "words"),
    [
        (node("n0"), Code.PARAMETER_NOT_BOUND, "[x]"),
        (node("n0", x=number(1), y=number(1)), Code.VARIABLE_NAME_NOT_FOUND, "[y]"),
        (node("n0", "word", s=number(1)), Code.MISMATCHING_TYPES, "expected STRING, got INTEGER"),
        (node("n0", "word", s=promise("", "i")), Code.MISMATCHING_TYPES, "[start-node.i] of type INTEGER"),
        (node("n0", x=promise("", "j")), Code.VARIABLE_NAME_NOT_FOUND, "[j] not found on node [start-node]"),
        (node("n0", x=promise("n7")), Code.NODE_REFERENCE_NOT_FOUND, "[n7] of variable [x]"),
        (node("n0", x=many(number(1))), Code.MISMATCHING_BINDINGS, "expected INTEGER, got a list"),
        (node("n0", "void", after=["n8"]), Code.NODE_REFERENCE_NOT_FOUND, "[n8]"),
        (
            node("n0", "lists", xs=many(number(1), BindingData(scalar=Scalar(primitive=Primitive(boolean=True))))),
            Code.MISMATCHING_TYPES,
            "[1]: expected INTEGER, got BOOLEAN",
        ),
        (node("n0", "either", v=many(BindingData(map=BindingDataMap()))), Code.INCOMPATIBLE_BINDING_UNION_VALUE, "[v]"),
        (node("n0", "either", v=many()), Code.AMBIGUOUS_BINDING_UNION_VALUE, "[v]"),
        (Node(id="n0"), Code.UNRECOGNIZED_VALUE, "no task"),
        (Node(id="a/../b", task_node=TaskNode(reference_id=identifier("void"))), Code.INVALID_VALUE, "'/'"),
        (
            Node(id="n0", workflow_node=WorkflowNode(launchplan_ref=identifier("lp", ResourceType.LAUNCH_PLAN))),
            Code.WORKFLOW_REFERENCE_NOT_FOUND,
            "Launch plan [p:d:lp:1]",
        ),
        (
            Node(id="n0", workflow_node=WorkflowNode(sub_workflow_ref=identifier("sub", ResourceType.WORKFLOW))),
            Code.WORKFLOW_REFERENCE_NOT_FOUND,
            "Workflow [p:d:sub:1]",
        ),
        (Node(id="n0", gate_node=GateNode(signal=SignalCondition(signal_id="s"))), Code.VALUE_REQUIRED, "type"),
        (Node(id="n0", gate_node=GateNode(sleep=SleepCondition())), Code.VALUE_REQUIRED, "duration"),
    ],
)
def test_a_bad_node_is_named_with_its_variable(bad, code, words):
    found = problems(workflow(bad, node("ok", "void"), inputs={"i": INT}))
    assert [(each[0], each[1]) for each in found] == [(code, bad.id)] * len(found)
    assert any(words in each[2] for each in found)


def test_an_input_bound_twice_is_refused():
    doubled = node("n0", x=number(1))
    doubled.inputs.append(Binding(var="x", binding=number(2)))
    assert problems(workflow(doubled))[0][0] == Code.PARAMETER_BOUND_MORE_THAN_ONCE


def test_what_a_node_does_not_put_out_cannot_be_taken():
    found = problems(workflow(node("n0", x=number(1)), node("n1", x=promise("n0", "o9"))))
    assert found == [(Code.VARIABLE_NAME_NOT_FOUND, "n1", "Variable [x]: Variable [o9] not found on node [n0].")]


def test_workflow_outputs_must_be_bound_and_fit():
    template = workflow(node("n0", x=number(1)), outputs={"o": (STR, promise("n0"))})
    assert problems(template)[0][:2] == (Code.MISMATCHING_TYPES, "end-node")
    del template.outputs[:]
    assert problems(template)[0][:2] == (Code.PARAMETER_NOT_BOUND, "end-node")


def test_all_problems_come_at_once_each_once():
    found = problems(workflow(node("n0"), node("n1", "word", s=number(1)), outputs={"o": (INT, promise("n9"))}))
    assert {(each[0], each[1]) for each in found} == {
        (Code.PARAMETER_NOT_BOUND, "n0"),
        (Code.MISMATCHING_TYPES, "n1"),
        (Code.NODE_REFERENCE_NOT_FOUND, "end-node"),
    }
    assert len(found) == 3


def test_what_follows_from_a_missing_reference_is_not_told_again():
    cases = branch_node("b", node("n0", "nowhere"), node("n1", x=number(1)))
    array_of_it = array("a", node("e", "nowhere"))
    template = workflow(cases, array_of_it, node("n", x=promise("b")), node("m", x=promise("a")), inputs={"flag": BOOL})
    assert [each[:2] for each in problems(template)] == [
        (Code.TASK_REFERENCE_NOT_FOUND, "b-n0"),
        (Code.TASK_REFERENCE_NOT_FOUND, "e"),
    ]


def test_optional_inputs_may_be_unbound():
    compiled(workflow(node("n0", "maybe"), node("n1", "maybe", x=number(1)), node("n2", "maybe", x=promise("n0"))))


def test_a_chosen_variant_decides_an_ambiguous_value():
    compiled(workflow(node("n0", "either", v=many(target=listed(STR)))))


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (("a",), None),
        (("xs", 0), Code.MISMATCHING_TYPES),
        (("b",), Code.FIELD_NOT_FOUND),
        (("a", 0), Code.FIELD_NOT_FOUND),
    ],
)
def test_attribute_paths_are_followed_through_types(path, code):
    template = workflow(node("n0", "classy"), node("n1", x=promise("n0", "o0", *path)))
    if code is None:
        compiled(template)
    else:
        assert problems(template)[0][:2] == (code, "n1")


def test_fields_of_a_plain_dict_are_not_known_before_they_are_there():
    compiled(workflow(node("n0", x=promise("", "d", "a", 0, "b")), inputs={"d": STRUCT}))


def test_a_cycle_is_named_node_by_node_and_what_is_behind_it_too():
    template = workflow(
        node("n0", "void"),
        node("n1", x=promise("n3")),
        node("n2", x=promise("n1")),
        node("n3", x=promise("n2")),
        node("n4", x=promise("n3")),
    )
    assert problems(template) == [
        (Code.CYCLE_DETECTED, "n2", "Cycle detected: [n2 -> n3 -> n1 -> n2]."),
        (Code.UNREACHABLE_NODES, "start-node", "Nodes behind a cycle are never reached: [n4]."),
    ]


def test_two_cycles_are_two_problems():
    loops = [node(a, "void", after=[b]) for a, b in (("a", "b"), ("b", "a"), ("c", "c"))]
    assert [each[0] for each in problems(workflow(*loops))] == [Code.CYCLE_DETECTED] * 2


def comparison(left, right):
    return BooleanExpression(comparison=ComparisonExpression(left_value=left, right_value=right))


TRUE = Operand(primitive=Primitive(boolean=True))


def branch_node(node_id, *cases, condition=None, bound=None, error=True):
    condition = condition or comparison(Operand(var=".flag"), TRUE)
    blocks = [IfBlock(condition=condition, then_node=case) for case in cases]
    block = IfElseBlock(case=blocks[0], other=blocks[1:], error=Error(message="none") if error else None)
    inputs = bindings(bound if bound is not None else {".flag": promise("", "flag")})
    return Node(id=node_id, branch_node=BranchNode(if_else=block), inputs=inputs)


def test_cases_of_a_branch_are_renamed_and_wait_without_being_listed_downstream():
    inner = branch_node("n1", node("n0", x=number(1)))
    template = workflow(
        node("n0", x=number(1)),
        branch_node("n1", node("n0", x=promise("n0")), node("n1", "maybe"), inner),
        node("n2", x=promise("n1")),
        inputs={"flag": BOOL},
    )
    template.nodes[1].branch_node.if_else.other[1].then_node.id = "n2"
    closure = compiled(template)
    downstream, upstream = connections(closure)
    assert downstream == {"start-node": ["n0", "n1"], "n0": ["end-node"], "n1": ["n2"], "n2": ["end-node"]}
    assert upstream["n1-n0"] == ["n0"]
    assert upstream["n1-n1"] == ["start-node"]
    assert upstream["n1-n2-n0"] == ["start-node"]


def test_a_branch_puts_out_what_all_its_cases_do():
    cases = [node("n0", x=number(1)), node("n1", "word", s=promise("", "s"))]
    template = workflow(branch_node("b", *cases), node("n", x=promise("b")), inputs={"flag": BOOL, "s": STR})
    assert problems(template) == [
        (Code.VARIABLE_NAME_NOT_FOUND, "n", "Variable [x]: Variable [o0] not found on node [b].")
    ]


def test_a_case_cannot_wait_for_what_is_behind_its_branch():
    template = workflow(
        branch_node("b", node("n0", x=promise("after"))), node("after", x=promise("b")), inputs={"flag": BOOL}
    )
    assert problems(template)[0][0] == Code.CYCLE_DETECTED


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (branch_node("b", node("n", "void"), error=False), Code.BRANCH_NODE_HAS_NO_DEFAULT),
        (branch_node("b", node("n", "void"), bound={}), Code.VARIABLE_NAME_NOT_FOUND),
        (branch_node("b", node("n", "void"), condition=BooleanExpression()), Code.VALUE_REQUIRED),
        (
            branch_node("b", node("n", "void"), condition=comparison(Operand(var=".flag"), Operand())),
            Code.VALUE_REQUIRED,
        ),
        (
            branch_node(
                "b",
                node("n", "void"),
                condition=BooleanExpression(
                    conjunction=ConjunctionExpression(
                        left_expression=comparison(Operand(var=".flag"), TRUE),
                        right_expression=comparison(Operand(var=".flag"), Operand(primitive=Primitive(integer=1))),
                    )
                ),
            ),
            Code.MISMATCHING_TYPES,
        ),
        (branch_node("b", node("n")), Code.PARAMETER_NOT_BOUND),
    ],
)
def test_a_bad_branch_is_refused(bad, code):
    found = problems(workflow(bad, inputs={"flag": BOOL}))
    assert [each[0] for each in found] == [code]
    assert found[0][1] in ("b", "b-n")


def test_a_branch_without_condition_is_refused():
    bad = branch_node("b", node("n", "void"))
    bad.branch_node.if_else.case.ClearField("condition")
    assert problems(workflow(bad, inputs={"flag": BOOL}))[0][0] == Code.BRANCH_NODE_HAS_NO_CONDITION


def test_the_failure_node_is_checked_and_waits_only():
    template = workflow(node("n0", "void"), failure_node=node("fn0", x=promise("", "i")), inputs={"i": INT})
    closure = compiled(template)
    downstream, upstream = connections(closure)
    assert upstream["fn0"] == ["start-node"]
    assert downstream == {"start-node": ["n0"], "n0": ["end-node"]}
    assert [each.template.id.name for each in closure.tasks] == ["step", "void"]
    template.failure_node.inputs[0].binding.promise.var = "j"
    assert problems(template)[0][:2] == (Code.VARIABLE_NAME_NOT_FOUND, "fn0")


def sub_node(node_id, name, **bound):
    reference = WorkflowNode(sub_workflow_ref=identifier(name, ResourceType.WORKFLOW))
    return Node(id=node_id, workflow_node=reference, inputs=bindings(bound))


def test_a_sub_workflow_is_compiled_once_with_its_tasks():
    sub = workflow(node("n0", x=promise("", "i")), name="sub", inputs={"i": INT}, outputs={"r": (INT, promise("n0"))})
    unused = workflow(node("n0", "void"), name="unused")
    template = workflow(sub_node("a", "sub", i=number(1)), sub_node("b", "sub", i=promise("a", "r")))
    closure = compiled(template, [unused, sub])
    assert [each.template.id.name for each in closure.sub_workflows] == ["sub"]
    assert [each.template.id.name for each in closure.tasks] == ["step"]


def test_problems_of_a_sub_workflow_name_it():
    sub = workflow(node("n0"), name="sub")
    found = problems(workflow(sub_node("a", "sub"), sub_node("b", "sub")), [sub])
    assert found == [(Code.PARAMETER_NOT_BOUND, "n0", "Parameter not bound [x]. (in sub-workflow sub)")]


def test_a_sub_workflow_given_twice_or_containing_itself_is_refused():
    sub = workflow(sub_node("n0", "sub"), name="sub")
    assert [each[0] for each in problems(workflow(sub_node("a", "sub")), [sub, sub])] == [
        Code.DUPLICATE_ID,
        Code.CYCLE_DETECTED,
    ]


def plan_node(node_id, **bound):
    reference = WorkflowNode(launchplan_ref=identifier("lp", ResourceType.LAUNCH_PLAN))
    return Node(id=node_id, workflow_node=reference, inputs=bindings(bound))


def test_a_launch_plan_s_defaults_need_no_binding():
    lp = identifier("lp", ResourceType.LAUNCH_PLAN)
    shape = interface({"i": INT, "j": INT}, {"r": INT})
    template = workflow(plan_node("n0", i=number(1)), node("n1", x=promise("n0", "r")))
    assert problems(template, plans=[(lp, shape)])[0][:2] == (Code.PARAMETER_NOT_BOUND, "n0")
    closure = compiled(template, plans=[LaunchPlanInterface(lp, shape, frozenset({"j"}))])
    assert not closure.launch_plans


def test_an_approval_hands_its_value_on_and_a_signal_gives_its_own():
    approve = GateNode(approve=ApproveCondition(signal_id="a"))
    signal = GateNode(signal=SignalCondition(signal_id="s", type=STR, output_variable_name="o0"))
    nodes = [
        Node(id="g1", gate_node=approve, inputs=bindings({"o0": promise("g0")})),
        Node(id="g0", gate_node=approve, inputs=bindings({"o0": promise("n0")})),
        node("n0", x=number(1)),
        Node(id="s0", gate_node=signal),
    ]
    compiled(workflow(*nodes, node("n1", x=promise("g1")), node("n2", "word", s=promise("s0"))))
    found = problems(workflow(*nodes, node("n1", "word", s=promise("g1")), node("n2", x=promise("s0"))))
    assert sorted(each[:2] for each in found) == [(Code.MISMATCHING_TYPES, "n1"), (Code.MISMATCHING_TYPES, "n2")]


def array(node_id, element, *, original=True, bound=(), **inputs):
    flag = BoolValue(value=original)
    target = ArrayNode(node=element, is_original_sub_node_interface=flag, bound_inputs=bound)
    return Node(id=node_id, array_node=target, inputs=bindings(inputs))


def test_an_array_takes_and_gives_lists_of_what_its_sub_node_does():
    wrapped = array("a", node("e"), x=many(number(1)))
    compiled(workflow(wrapped, node("n", "lists", xs=promise("a"))))
    compiled(workflow(array("a", node("e"), bound=["x"], x=number(1)), node("n", "lists", xs=promise("a"))))
    compiled(workflow(array("a", node("e", "lists"), original=False, xs=many(number(1)))))
    assert problems(workflow(array("a", node("e"), x=number(1))))[0][:2] == (Code.MISMATCHING_TYPES, "a")


def test_an_array_of_branches_is_refused():
    bad = array("a", branch_node("b", node("n", "void")))
    assert problems(workflow(bad))[0][:2] == (Code.UNRECOGNIZED_VALUE, "a")


def test_output_aliases_are_outputs_too():
    aliased = node("n0", x=number(1))
    aliased.output_aliases.append(Alias(var="o0", alias="result"))
    compiled(workflow(aliased, node("n1", x=promise("n0", "result"))))
    aliased.output_aliases.append(Alias(var="o0", alias="result"))
    aliased.output_aliases.append(Alias(var="o7", alias="other"))
    assert [each[0] for each in problems(workflow(aliased))] == [Code.DUPLICATE_ALIAS, Code.VARIABLE_NAME_NOT_FOUND]
