"""The doors: the HTTP API, the console, the command line and the jobs.

They decide nothing. A door reads the clock once, opens one transaction, calls one verb of a room
and says what came of it in the words of HTTP, HTML or a terminal.
"""
