"""Launch plans: a workflow with inputs bound, a schedule, and settings; of each name one version may be active."""
