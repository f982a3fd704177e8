# llmchat: completion for bash. Written by `llmchat completion bash`.

_llmchat() {
    local program=$1 line
    local -a lines=()
    [[ $program == '~/'* ]] && program=$HOME/${program:2}
    # Word by word into an array, so that nothing in an answer is split, expanded or run.
    while IFS= read -r line; do
        lines+=("$line")
    done < <("$program" __complete bash "$COMP_TYPE" "$COMP_WORDBREAKS" "${COMP_LINE:0:COMP_POINT}" 2>/dev/null </dev/null)
    COMPREPLY=("${lines[@]:1}")
    compopt -o nosort 2>/dev/null
    case ${lines[0]-} in
        files) return ;; # by bash itself
        nospace) compopt -o nospace 2>/dev/null ;;
    esac
    compopt +o default +o bashdefault 2>/dev/null
}

complete -o bashdefault -o default -F _llmchat llmchat
