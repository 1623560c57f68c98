"""One function a verb: load, decide, save, announce."""
