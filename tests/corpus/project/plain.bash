# What people have: the directory and the last status in the prompt; no marks.
PS1='\W FAILED: $? $ '
HISTFILE=
