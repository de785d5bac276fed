"""What not every user needs: accelerators, shell and SQL tasks."""
