"""The table of what was taken in the present window; only the function `take_rates` writes it."""

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

metadata = MetaData()

rates = Table(
    "rates",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("class", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("slot", BigInteger, nullable=False),
    Column("taken", Integer, nullable=False),
    Column("granted", Integer, nullable=False),
)
