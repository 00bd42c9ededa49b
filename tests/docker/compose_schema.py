"""The part of the compose file format that we use, as a JSON schema. Strict: a key that is not here is a typing error or news."""

DURATION = {"type": "string", "pattern": r"^(\d+h)?(\d+m)?(\d+s)?$", "minLength": 2}
STRINGS = {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True}

HEALTHCHECK = {
    "type": "object",
    "additionalProperties": False,
    "required": ["test", "interval", "timeout", "retries", "start_period"],
    "properties": {
        "test": {"type": "array", "items": {"type": "string"}, "minItems": 2, "prefixItems": [{"const": "CMD"}]},
        "interval": DURATION,
        "timeout": DURATION,
        "retries": {"type": "integer", "minimum": 1},
        "start_period": DURATION,
    },
}

PROFILES = {"type": "array", "items": {"const": "many"}, "minItems": 1, "maxItems": 1}
PORTS = {"type": "array", "items": {"type": "string", "pattern": r"^127\.0\.0\.1:\d+:\d+$"}, "minItems": 1}
ENVIRONMENT = {"type": "object", "additionalProperties": {"type": "string"}}
VOLUME = {"type": "string", "pattern": r"^[a-z]+:/[\w/]+$"}
MOUNTED_FILE = {"type": "string", "pattern": r"^\./[\w.]+:/[\w./]+:ro$"}
LOGGING = {
    "type": "object",
    "additionalProperties": False,
    "required": ["driver", "options"],
    "properties": {
        "driver": {"type": "string"},
        "options": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
DEPENDS_ON = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "additionalProperties": False,
        "required": ["condition"],
        "properties": {"condition": {"enum": ["service_started", "service_healthy"]}},
    },
}

HARDENED = {
    "image": {"type": "string", "pattern": r"^[a-z0-9./-]+:[\w.-]+$"},
    "stop_grace_period": DURATION,
    "restart": {"const": "unless-stopped"},
    "read_only": {"const": True},
    "tmpfs": STRINGS,
    "cap_drop": {"const": ["ALL"]},
    "security_opt": {"const": ["no-new-privileges:true"]},
    "logging": LOGGING,
}
EVERYWHERE = ["image", "stop_grace_period", "restart", "read_only", "cap_drop", "security_opt", "logging"]

BRIDGE = HARDENED | {
    "build": {
        "type": "object",
        "additionalProperties": False,
        "required": ["context", "dockerfile"],
        "properties": {"context": {"type": "string"}, "dockerfile": {"type": "string"}},
    },
    "env_file": STRINGS,
    "environment": ENVIRONMENT,
    "healthcheck": HEALTHCHECK,
}
BUILT = [*EVERYWHERE, "build", "env_file", "environment", "healthcheck"]


def service(required: list[str], properties: dict[str, object]) -> dict[str, object]:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


SERVICES = {
    "bridge": service(
        [*BUILT, "ports", "volumes"], BRIDGE | {"ports": PORTS, "volumes": {"type": "array", "items": VOLUME}}
    ),
    "bridges": service(
        [*BUILT, "profiles", "deploy", "depends_on"],
        BRIDGE
        | {
            "profiles": PROFILES,
            "deploy": {
                "type": "object",
                "additionalProperties": False,
                "required": ["replicas"],
                "properties": {"replicas": {"type": "integer", "minimum": 2}},
            },
            "depends_on": DEPENDS_ON,
        },
    ),
    "postgres": service(
        [*EVERYWHERE, "profiles", "environment", "volumes", "healthcheck"],
        HARDENED
        | {
            "profiles": PROFILES,
            "environment": ENVIRONMENT,
            "volumes": {"type": "array", "items": VOLUME},
            "healthcheck": HEALTHCHECK,
            "cap_add": STRINGS,
        },
    ),
    "balancer": service(
        [*EVERYWHERE, "profiles", "ports", "volumes", "depends_on"],
        HARDENED
        | {
            "profiles": PROFILES,
            "ports": PORTS,
            "volumes": {"type": "array", "items": MOUNTED_FILE},
            "depends_on": DEPENDS_ON,
        },
    ),
}

COMPOSE = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "services", "volumes"],
    "patternProperties": {"^x-": {}},
    "properties": {
        "name": {"type": "string", "pattern": r"^[a-z0-9][a-z0-9_-]*$"},
        "services": {"type": "object", "additionalProperties": False, "required": [*SERVICES], "properties": SERVICES},
        "volumes": {"type": "object", "additionalProperties": {"type": "object", "maxProperties": 0}},
    },
}
