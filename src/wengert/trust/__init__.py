"""IS IT RIGHT? Where nans and infinities were born, and whether custom rules can be believed."""

from wengert.trust.policies import policy as policy
