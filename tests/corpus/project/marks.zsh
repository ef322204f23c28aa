# The same, with OSC 133.
bindkey -e
precmd() { print -n "\e]133;D;$?\a" }
preexec() { print -n '\e]133;C\a' }
PS1=$'%{\e]133;A\a%}%1~ FAILED: %? %# %{\e]133;B\a%}'
RPS1='ERROR%%'
