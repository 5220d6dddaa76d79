"""How what was seen of certificates is shown."""

from grafana import BAD, GOOD, WARNING, words

# In place of the state's name as reachd says it.
REVOCATION_STATES = {
    "type": "value",
    "options": {
        state: {"text": text, "color": color, "index": index}
        for index, (state, text, color) in enumerate([
            ("good", "good", GOOD),
            ("not_offered", "not offered", "transparent"),
            ("unknown", "unknown", WARNING),
            ("stale", "stale", WARNING),
            ("invalid", "invalid", WARNING),
            ("unreachable", "unreachable", WARNING),
            ("revoked", "revoked", BAD),
        ])
    },
}

REVOCATION_COLORS = {
    "good": "#73BF69", "not_offered": "#8E8E99", "unknown": "#FADE2A", "stale": "#FF9830", "invalid": "#FF780A", "unreachable": "#FA6400", "revoked": "#C4162A",
}

INTERCEPTED = words({0: ("no", GOOD), 1: ("INSPECTED", WARNING)})
