"""What Hourmark costs, measured: each figure beside its target, and against others in the same run."""
