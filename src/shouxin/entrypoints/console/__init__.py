"""The console: what operators see and do, in Chinese and in English, light and dark.

Pages are made on the server and every one is checked the same way: who is signed in, what they are
permitted to do, whether the form is ours. Every action is written into the audit chain in the same
transaction. The browser needs no script of another site, no inline style and no inline script.
"""

from shouxin.entrypoints.console.app import (
    console_exception_handlers,
    console_routes,
    create_console_app,
)

__all__ = ["console_exception_handlers", "console_routes", "create_console_app"]
