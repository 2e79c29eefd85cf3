# Completions for fish of kafkit, and of Apache Kafka's tools by it: kafkit is asked at each press of the key.

function __kafkit_complete
    set -l before (commandline --current-process --tokenize --cut-at-cursor)
    set -l typed (commandline --current-token --cut-at-cursor)
    set -l lines (KAFKIT_COMPLETE=fish kafkit $before "$typed" < /dev/null 2> /dev/null)
    set -l mode (string split --max 2 \t -- "$lines[1]")
    switch "$mode[1]"
        case files
            for path in (__fish_complete_path "$mode[3]")
                printf '%s%s\n' "$mode[2]" "$path"
            end
        case directories
            for path in (__fish_complete_directories "$mode[3]")
                printf '%s%s\n' "$mode[2]" "$path"
            end
        case '*'
            set --erase lines[1]
            if set -q lines[1]
                printf '%s\n' $lines
            end
    end
end

for name in NAMES
    complete --command $name --keep-order --no-files --arguments '(__kafkit_complete)'
end
