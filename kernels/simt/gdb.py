"""`source kernels/simt/gdb.py` gives gdb the commands of gdb_commands.py.

gdb runs all scripts in one namespace; theirs is their own.
"""

import os
import runpy

folder = os.path.dirname(os.path.abspath(__file__))
runpy.run_path(os.path.join(folder, "gdb_commands.py"), run_name="simt")
