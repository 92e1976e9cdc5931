# Holds a SQLite file to itself, as a backup tool may, until it is stopped.
# Usage: store_lock.py FILE      (prints "ready")
import signal
import sqlite3
import sys

connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA locking_mode = EXCLUSIVE")
connection.execute("BEGIN EXCLUSIVE")
print("ready", flush=True)
signal.pause()
