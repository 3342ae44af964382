"""The command line: verbs, what they print, and exit codes.

    main       the program: global options, sections of `--help`, verbs that come later
    verbs      how a function becomes a verb: shared options, errors to exit codes
    exits      exit codes and what an error prints
    run, operate, show, past, check, permissions, tools   the verbs, one file per group
    await_     following a request until it is confirmed or done
    choices    what retry, accept and abandon mean for each code of `needs_operator`
    output     standard output and standard error
    layout     tables and blocks as lines; status, plan, history are drawn with it in `render`
    times      human times and RFC 3339

Everything heavy is imported inside the verbs, so that `--help` and shell completion answer at once.
"""
