"""NUMERIC DERIVATIVES: differences and the complex step, with an estimate of their own error.

They ask nothing of a function but its values, so they differentiate black boxes, and they check the
exact derivatives of the rest of wengert. What they cost: two or more calls per number, and digits.

| method       | calls per number | digits of 16 | step |
|--------------|------------------|--------------|------|
| `forward`    | 1 (and f(x))     | about 8      | √ε · max(\\|x\\|, 1) |
| `central`    | 2                | about 10     | ∛ε · max(\\|x\\|, 1) |
| `richardson` | 10 to 30         | about 13     | halved from max(\\|x\\|, 1)/9, until the estimates agree best |
| `complex`    | 1                | 16           | 1e-100 \\|x\\|: nothing cancels; analytic functions only |
"""

from wengert.numeric.api import derivative as derivative
from wengert.numeric.api import grad as grad
from wengert.numeric.api import jacobian as jacobian
