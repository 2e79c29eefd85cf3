# Completions for bash of kafkit, and of Apache Kafka's tools by it: kafkit is asked at each press of the key.

_kafkit() {
    local mode='' line
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ -z $mode ]]; then
            mode=${line%%$'\t'*}
        else
            COMPREPLY+=("$line")
        fi
    done < <(KAFKIT_COMPLETE=bash kafkit "$2" "${COMP_LINE:0:COMP_POINT}" < /dev/null 2> /dev/null)
    case $mode in
        open) compopt -o nospace 2> /dev/null ;;
        files) compopt -o default 2> /dev/null ;;
        directories) compopt -o dirnames 2> /dev/null ;;
    esac
}

# The order is kafkit's where bash (4.4 and later) can keep it.
complete -o nosort -F _kafkit NAMES 2> /dev/null ||
    complete -F _kafkit NAMES
