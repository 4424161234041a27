"""What Alembic runs for each of its commands; nothing of rcmon imports it.

`rcmon.store.migrations` hands in the connection, whose transaction stays the caller's. Without one (the
`alembic` command with conf/alembic.ini) the statements are only written, for the database that the ini names.
"""

from alembic import context

from rcmon.store.migrations import VERSION_TABLE

connection = context.config.attributes.get("connection")
if connection is None:
    url = context.config.get_main_option("sqlalchemy.url")
    context.configure(url=url, literal_binds=True, as_sql=True, version_table=VERSION_TABLE)
else:
    context.configure(connection=connection, version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
