"""The outside world behind the shell's ports: clusters, the control plane."""
