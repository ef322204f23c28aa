# ctmux for bash (4.4 or newer): tells where prompts, commands and their output begin and end (OSC 133), and the directory
# (OSC 7). The last line of ~/.bashrc:
#
#   [ -z "$TMUX" ] || eval "$(ctmux shell-init bash)"
#
# It does nothing outside tmux, in shells that are not interactive, and where another integration does the same.

__ctmux_url() { # TEXT: as a part of a URL, in REPLY; no longer than a mark may be
    local LC_ALL=C text=$1 at char code
    REPLY=
    for ((at = 0; at < ${#text} && ${#REPLY} < 7800; at++)); do
        char=${text:at:1}
        case $char in
            [a-zA-Z0-9/._~-]) REPLY+=$char ;;
            *)
                printf -v code %d "'$char"
                printf -v code %%%02X $((code & 255))
                REPLY+=$code
                ;;
        esac
    done
}

__ctmux_ended() { # the first of PROMPT_COMMAND: $? is the command's, and stays so
    local status=$?
    builtin printf '\e]133;D;%s\a' "$status"
    return "$status"
}

__ctmux_prompt() { # the last of PROMPT_COMMAND: whatever the others have made of PS1, it is between A and B
    local status=$? REPLY
    if [[ $PWD != "${__ctmux_directory-}" ]]; then
        __ctmux_directory=$PWD
        __ctmux_url "$PWD"
        __ctmux_directory_url=$REPLY
    fi
    builtin printf '\e]7;file://%s%s\a' "${HOSTNAME-}" "$__ctmux_directory_url"
    PS1=${PS1//"$__ctmux_a"/}
    PS1=$__ctmux_a${PS1//"$__ctmux_b"/}$__ctmux_b
    __ctmux_history='\!'
    __ctmux_history=${__ctmux_history@P}
    return "$status"
}

__ctmux_began() { # in PS0: what is run is the newest of the history, unless that has not grown (HISTCONTROL)
    local REPLY='' line number='\!'
    line=$(HISTTIMEFORMAT='' builtin history 1)
    if [[ ${number@P} != "${__ctmux_history-}" && $line =~ ^\ *[0-9]+[*\ ]\ (.*)$ ]]; then
        __ctmux_url "${BASH_REMATCH[1]}"
        REPLY=";cmdline_url=$REPLY"
    fi
    builtin printf '\e]133;C%s\a' "$REPLY"
}

__ctmux_start() {
    local hook text="${PS0-}${PS1-}${PROMPT_COMMAND[*]-}"
    for hook in __vsc_prompt_cmd _ksi_prompt_command __ghostty_precmd __wezterm_semantic_precmd __iterm2_prompt_command; do
        if declare -F "$hook" >/dev/null; then return 0; fi
    done
    if [[ $text == *'133;'* || $text == *__ctmux_* ]]; then return 0; fi
    __ctmux_a='\[\e]133;A\a\]' __ctmux_b='\[\e]133;B\a\]'
    PS0=${PS0-}'$(__ctmux_began)'
    if [[ $(declare -p PROMPT_COMMAND 2>/dev/null) == 'declare -a'* && ${BASH_VERSINFO[0]}${BASH_VERSINFO[1]} -ge 51 ]]; then
        PROMPT_COMMAND=(__ctmux_ended "${PROMPT_COMMAND[@]}" __ctmux_prompt)
    else
        PROMPT_COMMAND=__ctmux_ended$'\n'${PROMPT_COMMAND-}$'\n'__ctmux_prompt
    fi
}

if [[ $- == *i* && -n ${TMUX-} && ${BASH_VERSINFO[0]}${BASH_VERSINFO[1]} -ge 44 ]]; then __ctmux_start; fi
