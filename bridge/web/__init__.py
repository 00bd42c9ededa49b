"""The bridge's own HTTP port: health, readiness and the routes that platforms hand in."""
