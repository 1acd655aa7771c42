"""The clouds at arm's length: HTTP, queues, tasks and timers become calls of use cases, and errors become answers."""
