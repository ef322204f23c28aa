# The same, with OSC 133: A prompt, B what is typed, C output, D its end and status.
HISTFILE=
PS0='\e]133;C\a'
PROMPT_COMMAND='printf "\e]133;D;%s\a" $?'
PS1='\[\e]133;A\a\]\W ERROR? $ \[\e]133;B\a\]'
