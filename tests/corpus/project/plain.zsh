# The last status in the prompt, and a prompt on the right.
bindkey -e
PS1='%1~ FAILED: %? %# '
RPS1='ERROR%%'
