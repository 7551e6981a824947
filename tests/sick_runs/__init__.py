"""Trainings that are broken on purpose, and whether the doctor names what is wrong."""
