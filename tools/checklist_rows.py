"""The rows of the checklist: number, how much it matters, and what it is about."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One row.

    :ivar rank: M must, S should, R rare
    """

    number: int
    rank: str
    feature: str


_TEXT = """
1 M tasks with typed inputs and outputs
2 M names of tasks from packages and modules
3 M workflows of chained calls
4 M defaults of workflow inputs
5 M several outputs, named outputs
6 M workflows inside of workflows
7 M order without data (`>>`, `create_node`)
8 M branches (`conditional`)
9 M a task for each element of a list (`map_task`)
10 M inputs bound beforehand in maps (`functools.partial`)
11 M graphs made at run time (`@dynamic`)
12 M launch plans with default and fixed inputs
13 M requests and limits of resources
14 M retries and recoverable errors
15 M timeouts
16 M cached results
17 M secrets in variables and files
18 M images described by `ImageSpec`
19 M image names made of the configuration's images
20 M variables of the environment and which of them win
21 M settings of one node (`with_overrides`)
22 M errors with the user's own lines
23 M equal results here and remotely
24 M the context of a running task
25 S failure handlers
26 S going on after a failure
27 S interruptible tasks
28 S workflows made by calls (`ImperativeWorkflow`)
29 S maps with limits and tolerated failures
30 S launch plans as nodes, and mapped
31 S references to what is registered
32 S gates: waiting, input, approval
33 S eager tasks
34 S branches in branches and in dynamic tasks
35 S parts of structures as inputs
36 S pod templates
37 S accelerators and shared memory
38 S decks
39 S containers of any image (`ContainerTask`)
40 S shell scripts (`ShellTask`)
41 S queries and other tasks of a prebuilt container (`SQLite3Task`)
42 S schedules
43 S notifications
44 S labels and annotations
45 S checkpoints
46 S replacing tasks in tests
47 S documentation of inputs and outputs
48 S the cache of local runs
49 S hashes of values for caches (`HashMethod`)
50 S bundles of settings (`Environment`)
51 R limits on executions at once (`ConcurrencyPolicy`)
52 R cache policies, one writer at a time
53 R artifacts
54 R tasks made in the body of a workflow
55 R dependencies that a dynamic task announces
56 R sensors and web hooks
57 R `Echo`
58 R tasks of a notebook
59 R an editor in the browser for a running task
60 R the older map task
61 M numbers, texts, times, nothing
62 M lists and maps
63 M dataclasses
64 M untyped dicts
65 M unions and optional values
66 M enums
67 M files
68 M folders
69 M tables
70 M pickles of other classes
71 M structures from the JSON of a form
72 S pydantic models
73 S arrays and estimators
74 S one table, many libraries
75 S columns and formats of tables
76 S files inside of structures
77 S structures of registered workflows
78 S large values beside the outputs
79 R literals, dates, iterators, images, streams
80 R protobuf messages, schemas, model files
81 R the older encoding of structures
82 R tables in other systems by address
83 M registration with code
84 M registration without code
85 M registering the same twice
86 M other content under a known version
87 M versions made of the code
88 M `flyte run` on this machine
89 M `flyte run --remote`
90 M inputs of every kind on the command line
91 M code that a container fetches
92 M the files that a container writes
93 M fetching the newest or a version
94 M executing, waiting, outputs
95 M nodes inside of nodes
96 M ending an execution with a cause
97 M errors with classes of their own
98 M faults of a server in its own words
99 M a first command without any login
100 M signed uploads and downloads
101 M activating launch plans
102 M relaunching and recovering
103 S launch plans that activate themselves
104 S archives from one command for another
105 S backfills
106 S settings of an execution
107 S a name that was used before
108 S where an execution may run
109 S addresses of values and decks
110 S answering gates from the client
111 S recent executions, tasks of a version
112 S logins: secret, browser, device, command
113 S TLS, own authorities, proxies
114 S configuration from files and environment
115 S very large workflows, pages of lists
116 S uploads of folders and large files
117 R where the time went
118 R active launch plans
119 R new projects, serialized files, images
120 R versions of client and server
"""

ROWS = [
    Row(int(number), rank, feature)
    for number, rank, feature in (line.split(" ", 2) for line in _TEXT.strip().splitlines())
]
