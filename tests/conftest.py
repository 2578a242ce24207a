"""What holds for all tests. No case is judged by how long it takes: the machine may be busy with something else."""

from hypothesis import settings

settings.register_profile("tallystick", deadline=None)
settings.load_profile("tallystick")
