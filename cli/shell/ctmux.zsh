# ctmux for zsh: tells where prompts, commands and their output begin and end (OSC 133), and the directory (OSC 7). The
# last line of ~/.zshrc:
#
#   [[ -z $TMUX ]] || eval "$(ctmux shell-init zsh)"
#
# It does nothing outside tmux, in shells that are not interactive, and where another integration does the same.

__ctmux_url() { # TEXT: as a part of a URL, in REPLY; no longer than a mark may be
    emulate -L zsh -o extended_glob -o no_multibyte
    REPLY=${${1[1,2600]}//(#m)[^a-zA-Z0-9\/._~-]/%${(l:2::0:)$(([##16]#MATCH))}}
}

__ctmux_ended() { # the first of the precmd functions
    builtin print -rn -- $'\e]133;D;'$?$'\a'
}

__ctmux_prompt() { # the last of them: whatever the others have made of PS1, it is between A and B
    emulate -L zsh
    local REPLY a=$'%{\e]133;A\a%}' b=$'%{\e]133;B\a%}'
    __ctmux_url $PWD
    builtin print -rn -- $'\e]7;file://'$HOST$REPLY$'\a'
    PS1=$a${${PS1//$a/}//$b/}$b
}

__ctmux_began() {
    emulate -L zsh
    local REPLY
    __ctmux_url ${1:-$3}
    builtin print -rn -- $'\e]133;C;cmdline_url='$REPLY$'\a'
}

__ctmux_start() {
    emulate -L zsh
    local hook
    if [[ $PS1 == *'133;'* ]]; then return; fi
    for hook in precmd preexec $precmd_functions $preexec_functions; do
        if [[ ${functions[$hook]-} == *'133;'* ]]; then return; fi
    done
    typeset -ga precmd_functions preexec_functions
    precmd_functions=(__ctmux_ended $precmd_functions __ctmux_prompt)
    preexec_functions+=(__ctmux_began)
    # Before the precmd functions zsh prints this mark, or blanks over it: that is no output any more (A), as the prompt.
    PROMPT_EOL_MARK=$'%{\e]133;D;%?\a\e]133;A\a%}'${PROMPT_EOL_MARK-'%B%S%#%s%b'}
}

if [[ -o interactive && -n ${TMUX-} ]]; then __ctmux_start; fi
