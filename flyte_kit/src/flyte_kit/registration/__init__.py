"""From files with tasks to what a control plane can register: modules, code, versions, messages."""
