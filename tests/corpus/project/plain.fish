# The last status in the prompt.
set -g fish_greeting
function fish_prompt
    echo -n (basename $PWD) "FAILED: $status> "
end
