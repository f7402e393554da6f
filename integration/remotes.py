"""The key cupboard: builds clients from settings and company keys. The only reader of secrets."""
