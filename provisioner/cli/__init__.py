"""Commands and options; exceptions become exit codes."""
