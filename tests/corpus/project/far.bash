# The far side of a connection.
PS1='root@ERROR-db:\W# '
HISTFILE=
