"""The ``npt`` command; a module a sub-command."""
