# The same, with OSC 133.
set -g fish_greeting
function fish_prompt
    set -l last $status
    printf '\e]133;A\a%s FAILED: %s> \e]133;B\a' (basename $PWD) $last
end
function mark_output --on-event fish_preexec
    printf '\e]133;C\a'
end
function mark_end --on-event fish_postexec
    printf '\e]133;D;%s\a' $status
end
