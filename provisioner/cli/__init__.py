"""Commands and options; exceptions become exit codes.

app         which commands there are; each is loaded when it is called
run         the arguments of `run` and `validate`
sync        the arguments of `plan`, `sync` and `history`
inspection  the arguments of `constraints`, `doctor` and `config show`
arguments   the options that commands share
boundary    flags become settings, exceptions become exit codes
"""
