"""Django's PostgreSQL backend, which sees to it that the embedded server runs before it connects.

So every command that needs a database has one, and a command that needs none starts nothing.
"""

from typing import Any

from django.db.backends.postgresql import base

from organizing.local import servers


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        servers.hold_postgres(self.settings_dict["VAR"])
        return super().get_new_connection(conn_params)
