"""Control flow: equations that hold programs, and the stacks that loops leave behind."""

from wengert.ops.control.call import call as call
from wengert.ops.control.cond import cond as cond
from wengert.ops.control.map import map_ as map_
from wengert.ops.control.remat import remat as remat
from wengert.ops.control.scan import scan as scan
from wengert.ops.control.stacks import empty as empty
from wengert.ops.control.while_loop import while_loop as while_loop
