"""THE DOOR: NumPy's names → ops. Broadcasting, promotion and defaults live here alone."""

from wengert.numpy_api import (
    creation as creation,
)
from wengert.numpy_api import (
    einsum as einsum,
)
from wengert.numpy_api import (
    fft as fft,
)
from wengert.numpy_api import (
    hooks as hooks,
)
from wengert.numpy_api import (
    indexing as indexing,
)
from wengert.numpy_api import (
    joining as joining,
)
from wengert.numpy_api import (
    linalg as linalg,
)
from wengert.numpy_api import (
    methods as methods,
)
from wengert.numpy_api import (
    missing as missing,
)
from wengert.numpy_api import (
    moving as moving,
)
from wengert.numpy_api import (
    ordering as ordering,
)
from wengert.numpy_api import (
    products as products,
)
from wengert.numpy_api import (
    reductions as reductions,
)
from wengert.numpy_api import (
    running as running,
)
from wengert.numpy_api import (
    selection as selection,
)
from wengert.numpy_api import (
    sets as sets,
)
from wengert.numpy_api import (
    shaping as shaping,
)
from wengert.numpy_api import (
    signals as signals,
)
from wengert.numpy_api import (
    ufuncs as ufuncs,
)
from wengert.numpy_api import (
    writing as writing,
)
