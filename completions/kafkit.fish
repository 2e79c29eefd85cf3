complete --keep-order --exclusive --command kafkit --arguments "(COMPLETE=fish kafkit -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
