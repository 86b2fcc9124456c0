"""The door in front of apps: a proxy asks about each request whether it may pass, and as whom.

A proxy proves itself before anything is said. What is asked again and again is answered from memory.
"""
