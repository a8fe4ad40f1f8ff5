"""THE DOOR: NumPy's and SciPy's names → ops. Broadcasting, promotion and defaults live here alone."""

from wengert.numpy_api import (
    creation as creation,
)
from wengert.numpy_api import (
    indexing as indexing,
)
from wengert.numpy_api import (
    methods as methods,
)
from wengert.numpy_api import (
    products as products,
)
from wengert.numpy_api import (
    reductions as reductions,
)
from wengert.numpy_api import (
    shaping as shaping,
)
from wengert.numpy_api import (
    ufuncs as ufuncs,
)
