"""The commands: arguments become settings, settings an exit code. What a command needs is imported when it is called.

run         `run` and `validate`
undo        `undo`
sync        `plan`, `sync` and `history`
proof       `verify`, `status` and `show`
inspection  `init`, `constraints`, `doctor`, `config show` and `config example`
report      `report`
fleet       `fleet`
backup      `backup`
merge       `merge`
"""
