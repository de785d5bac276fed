"""The way to the control plane: where it is, calls that page, wait and come back, and the file that says all this."""
