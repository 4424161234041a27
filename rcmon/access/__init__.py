"""Who connects and what they may do: certificates, distinguished names, proxies, roles."""
