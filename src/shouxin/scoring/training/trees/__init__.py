"""Trees: growing them with other people's libraries, and reading what those libraries grew, exactly.

A library's own model is read once (``importing``), its questions are turned into slots (``writing``),
and from then on only our own scorer is used. Nothing here is needed to serve a model.
"""
