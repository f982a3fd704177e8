# llmchat: completion for fish. Written by `llmchat completion fish`.

function __llmchat_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program (string replace -r '^~/' "$HOME/" -- $words[1])
    set -e words[1]
    set -l lines ($program __complete fish $words "$current" 2>/dev/null </dev/null)
    set -l wanted $lines[1]
    set -e lines[1]
    switch "$wanted"
        case 'files*'
            # No such command: fish lists paths for it, also behind a colon, where we want none.
            set -l path (string replace -r '^--[^=]*=' '' -- $current)
            set -l paths (string match -q '*:*' -- $path; or complete -C "__llmchat_path $path")
            set -l ending (string replace -r '^files ?' '' -- $wanted | string escape --style=regex)
            set -a lines (string match -r -- "^.*(?:/|$ending)(?:\t.*)?\$" $paths)
    end
    set -l option (string match -r '^--[^=]*=' -- $current)
    test (count $lines) -gt 0; and printf '%s\n' "$option"$lines
end

complete -c llmchat -f -k -a '(__llmchat_complete)'
