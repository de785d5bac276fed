"""The protocol side of the control plane: one table of methods, one table of errors, one gRPC server."""
