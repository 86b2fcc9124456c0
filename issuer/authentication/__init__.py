"""Who asks: role keys, apps, jobs, and the tokens of each; wrong ones are counted."""
