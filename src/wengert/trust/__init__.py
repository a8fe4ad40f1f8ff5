"""IS IT RIGHT? Where nans and infinities were born, and whether custom rules can be believed."""
