"""What other tools ask for a credential, each in its own words: a file a tool."""
