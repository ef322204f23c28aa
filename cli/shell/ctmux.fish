# ctmux for fish before 4.0: tells where prompts, commands and their output begin and end (OSC 133), and the directory
# (OSC 7). In ~/.config/fish/config.fish:
#
#   test -z "$TMUX"; or ctmux shell-init fish | source
#
# It does nothing outside tmux, in shells that are not interactive, and where another integration does the same, as fish
# itself does from 4.0 on.

if status is-interactive; and set -q TMUX; and string match -qr '^[0-3]\.' -- $version
    and not functions -q __ctmux_prompt; and not functions -q __ksi_mark_prompt_start
    and not functions -q __vsc_cmd_started; and not functions -q __ghostty_mark_prompt_start
    function __ctmux_prompt --on-event fish_prompt
        printf '\e]7;file://%s%s\a\e]133;A\a' $hostname (string escape --style=url -- $PWD)
    end

    function __ctmux_began --on-event fish_preexec
        set -l text (string escape --style=url -- "$argv[1]" | string sub -l 7800 | string replace -r '%.?$' '')
        printf '\e]133;C;cmdline_url=%s\a' "$text"
    end

    function __ctmux_ended --on-event fish_postexec
        printf '\e]133;D;%s\a' $status
    end
end
