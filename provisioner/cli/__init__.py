"""Commands and options; exceptions become exit codes.

app        which commands there are; each is loaded when it is called
helppage   the help of a command, as plain text
examples   two examples of each command, and the ways to begin
usage      wrong usage in one sentence: what is wrong, and what was probably meant
slips      what arguments that make no sense still say of the summary
idle       options of reading that can mean nothing for the roster
asked      what a command was asked for, and the summary that it leaves however it ends
boundary   exceptions become exit codes, answers go to standard output
commands/  one function a command: arguments become settings, settings an exit code
options/   groups of options, named as the tables of settings
"""
