"""For web frameworks: each file says in one framework's words what `authentication` says in HTTP's."""
