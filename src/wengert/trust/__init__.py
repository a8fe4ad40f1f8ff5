"""IS IT RIGHT? Wrong derivatives found, settled and told; and whether custom rules can be believed."""

from wengert.trust.policies import policy as policy
