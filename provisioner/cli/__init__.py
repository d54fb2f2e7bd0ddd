"""Commands and options; exceptions become exit codes.

app          which commands there are; each is loaded when it is called
run          `run` and `validate`: arguments become settings, settings an exit code
sync         `plan`, `sync` and `history`
inspection   `constraints`, `doctor` and `config show`
arguments    groups of options, named as the tables of settings; each option is written once
optiontypes  the kinds of options, and how their values are read
helppage     the help of a command, as plain text
usage        wrong usage in one sentence: what is wrong, and what was probably meant
boundary     exceptions become exit codes, answers go to standard output
"""
