
_clap_complete_kafkit() {
    local IFS=$'\013'
    local _CLAP_COMPLETE_INDEX=${COMP_CWORD}
    local _CLAP_COMPLETE_COMP_TYPE=${COMP_TYPE}
    if compopt +o nospace 2> /dev/null; then
        local _CLAP_COMPLETE_SPACE=false
    else
        local _CLAP_COMPLETE_SPACE=true
    fi
    local words=() last=-1 before="" rest="$COMP_LINE" i word behind
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word="${COMP_WORDS[i]}"
        behind="${rest#"${rest%%[![:space:]]*}"}"
        if ((i == 0)) || [[ "$behind" != "$rest" ]]; then
            ((++last))
        fi
        rest="${behind#"$word"}"
        if ((i == COMP_CWORD)) && ! [[ "$word" =~ ^[:=]+$ ]]; then
            word="$2"
        fi
        before="${words[last]-}"
        words[last]="$before$word"
        if [[ "$word" =~ ^[:=]+$ ]]; then
            before="${words[last]}"
        fi
    done
    _CLAP_COMPLETE_INDEX=$last
    COMPREPLY=( $( \
        _CLAP_IFS="$IFS" \
        _CLAP_COMPLETE_INDEX="$_CLAP_COMPLETE_INDEX" \
        _CLAP_COMPLETE_COMP_TYPE="$_CLAP_COMPLETE_COMP_TYPE" \
        _CLAP_COMPLETE_SPACE="$_CLAP_COMPLETE_SPACE" \
        COMPLETE="bash" \
        "kafkit" -- "${words[@]}" \
    ) )
    if [[ $? != 0 ]]; then
        unset COMPREPLY
    elif [[ -n "$before" ]]; then
        COMPREPLY=("${COMPREPLY[@]#"$before"}")
    fi
    if [[ -z "${COMPREPLY+set}" ]]; then
        return
    elif [[ $_CLAP_COMPLETE_SPACE == false ]] && [[ "${COMPREPLY-}" =~ [=/:]$ ]]; then
        compopt -o nospace
    fi
}
if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -o nospace -o bashdefault -o nosort -F _clap_complete_kafkit kafkit
else
    complete -o nospace -o bashdefault -F _clap_complete_kafkit kafkit
fi

