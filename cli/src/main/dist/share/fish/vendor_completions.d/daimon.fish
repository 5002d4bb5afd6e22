# Completion for fish: commands, options and their values, and the names of daemons, which are found by
# their files.

# Prints the command, or nothing if there is none yet.
function __daimon_command
    set -l words (commandline -opc)
    if string match -qr '(^|/)daimonize$' -- $words[1]
        echo start
    else
        echo $words[2]
    end
end

function __daimon_is
    test "$(__daimon_command)" = "$argv"
end

# Tells whether the word to complete is a name, a program or its word, or a signal.
function __daimon_wants
    set -l command (__daimon_command)
    set -l words (commandline -opc)
    set -e words[1]
    if test "$words[1]" = "$command"
        set -e words[1]
    end
    set -l count 0
    set -l pidfile
    set -l awaited
    for word in $words
        if set -q awaited[1]
            set -e awaited
        else if test "$word" = --
            test $argv = program
            return
        else if string match -qr '^-.' -- $word
            if string match -qr '^(--pidfile|-p)' -- $word
                set pidfile yes
            end
            if __daimon_awaits $command $word
                set awaited yes
            end
        else
            set count (math $count + 1)
        end
    end
    set -l first no
    if test $count -eq 0; and not set -q pidfile[1]; and test "$command" != list
        set first yes
    end
    switch "$command:$argv"
        case '*:name'
            test $first = yes
        case start:program run:program restart:program
            test $count -gt 0; or string match -qr '^[^-]' -- (commandline -ct)
        case signal:signal
            test $first = no
        case '*'
            return 1
    end
end

# Completes the program, and what it takes itself: all words behind "--", or from the first that is no option.
function __daimon_program
    set -l words (commandline -opc)
    set -l command (__daimon_command)
    set -e words[1]
    if test "$words[1]" = "$command"
        set -e words[1]
    end
    if set -l dashes (contains -i -- -- $words)
        set -e words[1..$dashes]
    else
        while set -q words[1]; and string match -qr '^-.' -- $words[1]
            if __daimon_awaits $command $words[1]
                set -e words[1]
            end
            set -e words[1]
        end
    end
    complete "-C$(string join ' ' -- (string escape -- $words) (commandline -ct))"
end

# Prints the names of daemons: for a start of those that are defined, otherwise also of those that run.
function __daimon_names
    set -l state $XDG_STATE_HOME
    set -l config $XDG_CONFIG_HOME
    string match -q '/*' -- $state; or set state $HOME/.local/state
    string match -q '/*' -- $config; or set config $HOME/.config
    set -l user (id -u)
    set -l files
    set -l running
    if test $user -eq 0
        set files /etc/daimon/*.conf
        set running /run/daimon/*.pid /run/daimon/*.started
    else
        set files $config/daimon/*.conf
        set running $state/daimon/run/*.pid $state/daimon/*.started /run/user/$user/daimon/*.pid
        if string match -q '/*' -- $XDG_RUNTIME_DIR
            set -a running $XDG_RUNTIME_DIR/daimon/*.pid
        end
    end
    if not contains -- (__daimon_command) start run check
        set -a files $running
    end
    # What the command would not take as a name is left out.
    string replace -r '(?s)^.*/(.*)\.[^.]*$' '$1' -- $files | string match -rv '^-|[[:cntrl:]]' | sort -u
end

complete -c daimon -c daimonize -f
complete -c daimon -c daimonize -n '__daimon_wants name' -a '(__daimon_names)'
complete -c daimon -c daimonize -n '__daimon_wants program' -a '(__daimon_program)'

# table:begin
complete -c daimon -n '__daimon_is ""' -a start -d 'daemonize; return when it runs'
complete -c daimon -n '__daimon_is help' -a start -d 'daemonize; return when it runs'
complete -c daimon -n '__daimon_is ""' -a run -d 'the same in the foreground'
complete -c daimon -n '__daimon_is help' -a run -d 'the same in the foreground'
complete -c daimon -n '__daimon_is ""' -a restart -d 'stop it if it runs, and start it'
complete -c daimon -n '__daimon_is help' -a restart -d 'stop it if it runs, and start it'
complete -c daimon -n '__daimon_is ""' -a stop -d 'end it, wait until it has ended'
complete -c daimon -n '__daimon_is help' -a stop -d 'end it, wait until it has ended'
complete -c daimon -n '__daimon_is ""' -a status -d 'does it run?'
complete -c daimon -n '__daimon_is help' -a status -d 'does it run?'
complete -c daimon -n '__daimon_is ""' -a reload -d 'send it SIGHUP'
complete -c daimon -n '__daimon_is help' -a reload -d 'send it SIGHUP'
complete -c daimon -n '__daimon_is ""' -a signal -d 'send it any signal'
complete -c daimon -n '__daimon_is help' -a signal -d 'send it any signal'
complete -c daimon -n '__daimon_is ""' -a wait -d 'wait until it has ended'
complete -c daimon -n '__daimon_is help' -a wait -d 'wait until it has ended'
complete -c daimon -n '__daimon_is ""' -a show -d 'its definition'
complete -c daimon -n '__daimon_is help' -a show -d 'its definition'
complete -c daimon -n '__daimon_is ""' -a check -d 'could it be started?'
complete -c daimon -n '__daimon_is help' -a check -d 'could it be started?'
complete -c daimon -n '__daimon_is ""' -a list -d 'the daemons that have a name'
complete -c daimon -n '__daimon_is help' -a list -d 'the daemons that have a name'
complete -c daimon -n '__daimon_is ""' -a logs -d 'what it has printed'
complete -c daimon -n '__daimon_is help' -a logs -d 'what it has printed'
complete -c daimon -n '__daimon_is ""' -a help -d 'the options of a command'
complete -c daimon -n '__daimon_is ""' -s h -l help
complete -c daimon -n '__daimon_is ""' -s V -l version
complete -c daimon -n '__daimon_wants signal' -a 'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH POLL PWR SYS'
complete -c daimon -c daimonize -n '__daimon_is start' -s p -l pidfile -rF -d 'write the daemon'\''s pid to this file, which is locked as long as the daemon lives'
complete -c daimon -c daimonize -n '__daimon_is start' -s l -l lock -rF -d 'hold a second lock, on a file of its own, which is never written'
complete -c daimon -c daimonize -n '__daimon_is start' -l no-lock -d 'do not lock the pidfile, for a daemon that is controlled with --pid-only'
complete -c daimon -c daimonize -n '__daimon_is start' -s c -l chdir -x -a '(__fish_complete_directories)' -d 'working directory'
complete -c daimon -c daimonize -n '__daimon_is start' -s m -l umask -x -d 'file mode creation mask, octal'
complete -c daimon -c daimonize -n '__daimon_is start' -s o -l stdout -rF -a 'journal syslog syslog:' -d 'where output goes: a file'
complete -c daimon -c daimonize -n '__daimon_is start' -s e -l stderr -rF -a 'journal syslog syslog:' -d 'where errors go: as -o'
complete -c daimon -c daimonize -n '__daimon_is start' -l sigpipe -d 'with |COMMAND: leave SIGPIPE its default, so that PROGRAM ends when it writes after COMMAND has ended'
complete -c daimon -c daimonize -n '__daimon_is start' -l truncate -d 'empty the output files first'
complete -c daimon -c daimonize -n '__daimon_is start' -s a -l append -d 'append to the output files: the default'
complete -c daimon -c daimonize -n '__daimon_is start' -s u -l user -x -a '(__fish_complete_users)' -d 'become this user (and group): name, number or #number'
complete -c daimon -c daimonize -n '__daimon_is start' -s g -l group -x -a '(__fish_complete_groups)' -d 'become this group: name, number or #number'
complete -c daimon -c daimonize -n '__daimon_is start' -l groups -x -a '(__fish_complete_groups) none' -d 'with -u or -g: supplementary groups, separated by commas, in place of the user'\''s own'
complete -c daimon -c daimonize -n '__daimon_is start' -l pidfile-owner -x -a 'root user' -d 'with -u or -g: who owns the pidfile and the lock file'
complete -c daimon -c daimonize -n '__daimon_is start' -l mkdir -d 'make the missing directories of pidfile, lock and output files, for the owner of the file'
complete -c daimon -c daimonize -n '__daimon_is start' -l chroot -x -a '(__fish_complete_directories)' -d 'root directory'
complete -c daimon -c daimonize -n '__daimon_is start' -l rlimit -x -a 'cpu= fsize= data= stack= core= rss= nproc= nofile= memlock= as= locks= sigpending= msgqueue= nice= rtprio= rttime=' -d 'limit a resource, such as nofile=1024:4096, by the name and in the unit of setrlimit'
complete -c daimon -c daimonize -n '__daimon_is start' -l nice -x -d 'niceness, from -20 to 19'
complete -c daimon -c daimonize -n '__daimon_is start' -l oom-score-adj -x -d 'priority for the out-of-memory killer, from -1000 (never killed) to 1000 (killed first)'
complete -c daimon -c daimonize -n '__daimon_is start' -l no-new-privs -d 'set no_new_privs: set-user-id programs give PROGRAM no privileges'
complete -c daimon -c daimonize -n '__daimon_is start' -l keep-cap -x -a 'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE none' -d 'keep this capability, such as NET_BIND_SERVICE, and give up all that are not named'
complete -c daimon -c daimonize -n '__daimon_is start' -l no-close-fds -d 'let the program inherit every descriptor of the caller'
complete -c daimon -c daimonize -n '__daimon_is start' -l keep-fd -x -d 'let the program inherit this descriptor'
complete -c daimon -c daimonize -n '__daimon_is start' -l listen -x -a 'tcp: unix:' -d 'listen at tcp:[HOST:]PORT[=NAME] or unix:PATH[=NAME], and give PROGRAM the socket as systemd does: as descriptor 3, 4 and so on, with LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID'
complete -c daimon -c daimonize -n '__daimon_is start' -s E -l env -x -d 'set a variable'
complete -c daimon -c daimonize -n '__daimon_is start' -s n -l name -x -d 'the program'\''s name for itself, argv[0]'
complete -c daimon -c daimonize -n '__daimon_is start' -s v -l verbose -d 'report each step on standard error'
complete -c daimon -c daimonize -n '__daimon_is start' -s f -l foreground -d 'run in the foreground, as daimon run does'
complete -c daimon -c daimonize -n '__daimon_is start' -l dry-run -d 'check everything, print the plan, change nothing'
complete -c daimon -c daimonize -n '__daimon_is start' -l oknodo -d 'exit with 0, not with 69, if the daemon runs already, as init scripts expect'
complete -c daimon -c daimonize -n '__daimon_is start' -l all -d 'start every daemon that has a definition, side by side'
complete -c daimon -c daimonize -n '__daimon_is start' -l self -d 'PROGRAM daemonizes itself and locks the pidfile: run it, and wait until it has done so'
complete -c daimon -c daimonize -n '__daimon_is start' -l start-timeout -x -d 'the same as --ready-timeout'
complete -c daimon -c daimonize -n '__daimon_is start' -l ready -x -a 'alive: notify notify:all fd: tcp: unix: file: log: exec exit' -d 'wait until PROGRAM is ready: alive:T, notify, notify:all, fd:N, tcp:[HOST:]PORT, unix:PATH, file:PATH or log:TEXT'
complete -c daimon -c daimonize -n '__daimon_is start' -l ready-timeout -x -d 'with --ready (but alive:T) or --self: how long that may take'
complete -c daimon -c daimonize -n '__daimon_is start' -l wait -x -d 'the same as --ready alive:T: PROGRAM still runs then'
complete -c daimon -c daimonize -n '__daimon_is start' -l guard -rF -d 'lock this file during the action, so that one command at a time starts or stops the daemon'
complete -c daimon -c daimonize -n '__daimon_is start' -l pid-only -d 'trust a pidfile that nobody has locked, for daemons that lock nothing'
complete -c daimon -c daimonize -n '__daimon_is start' -l save -d 'with a name: when PROGRAM was started, write the definition of that name from these options'
complete -c daimon -c daimonize -n '__daimon_is start' -s h -l help -d 'print the command'\''s help'
complete -c daimon -n '__daimon_is run' -s p -l pidfile -rF -d 'write the daemon'\''s pid to this file, which is locked as long as the daemon lives'
complete -c daimon -n '__daimon_is run' -s l -l lock -rF -d 'hold a second lock, on a file of its own, which is never written'
complete -c daimon -n '__daimon_is run' -l no-lock -d 'do not lock the pidfile, for a daemon that is controlled with --pid-only'
complete -c daimon -n '__daimon_is run' -s c -l chdir -x -a '(__fish_complete_directories)' -d 'working directory'
complete -c daimon -n '__daimon_is run' -s m -l umask -x -d 'file mode creation mask, octal'
complete -c daimon -n '__daimon_is run' -s o -l stdout -rF -a 'journal syslog syslog:' -d 'where output goes: a file'
complete -c daimon -n '__daimon_is run' -s e -l stderr -rF -a 'journal syslog syslog:' -d 'where errors go: as -o'
complete -c daimon -n '__daimon_is run' -l sigpipe -d 'with |COMMAND: leave SIGPIPE its default, so that PROGRAM ends when it writes after COMMAND has ended'
complete -c daimon -n '__daimon_is run' -l truncate -d 'empty the output files first'
complete -c daimon -n '__daimon_is run' -s a -l append -d 'append to the output files: the default'
complete -c daimon -n '__daimon_is run' -s u -l user -x -a '(__fish_complete_users)' -d 'become this user (and group): name, number or #number'
complete -c daimon -n '__daimon_is run' -s g -l group -x -a '(__fish_complete_groups)' -d 'become this group: name, number or #number'
complete -c daimon -n '__daimon_is run' -l groups -x -a '(__fish_complete_groups) none' -d 'with -u or -g: supplementary groups, separated by commas, in place of the user'\''s own'
complete -c daimon -n '__daimon_is run' -l pidfile-owner -x -a 'root user' -d 'with -u or -g: who owns the pidfile and the lock file'
complete -c daimon -n '__daimon_is run' -l mkdir -d 'make the missing directories of pidfile, lock and output files, for the owner of the file'
complete -c daimon -n '__daimon_is run' -l chroot -x -a '(__fish_complete_directories)' -d 'root directory'
complete -c daimon -n '__daimon_is run' -l rlimit -x -a 'cpu= fsize= data= stack= core= rss= nproc= nofile= memlock= as= locks= sigpending= msgqueue= nice= rtprio= rttime=' -d 'limit a resource, such as nofile=1024:4096, by the name and in the unit of setrlimit'
complete -c daimon -n '__daimon_is run' -l nice -x -d 'niceness, from -20 to 19'
complete -c daimon -n '__daimon_is run' -l oom-score-adj -x -d 'priority for the out-of-memory killer, from -1000 (never killed) to 1000 (killed first)'
complete -c daimon -n '__daimon_is run' -l no-new-privs -d 'set no_new_privs: set-user-id programs give PROGRAM no privileges'
complete -c daimon -n '__daimon_is run' -l keep-cap -x -a 'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE none' -d 'keep this capability, such as NET_BIND_SERVICE, and give up all that are not named'
complete -c daimon -n '__daimon_is run' -l no-close-fds -d 'let the program inherit every descriptor of the caller'
complete -c daimon -n '__daimon_is run' -l keep-fd -x -d 'let the program inherit this descriptor'
complete -c daimon -n '__daimon_is run' -l listen -x -a 'tcp: unix:' -d 'listen at tcp:[HOST:]PORT[=NAME] or unix:PATH[=NAME], and give PROGRAM the socket as systemd does: as descriptor 3, 4 and so on, with LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID'
complete -c daimon -n '__daimon_is run' -s E -l env -x -d 'set a variable'
complete -c daimon -n '__daimon_is run' -s n -l name -x -d 'the program'\''s name for itself, argv[0]'
complete -c daimon -n '__daimon_is run' -s v -l verbose -d 'report each step on standard error'
complete -c daimon -n '__daimon_is run' -s f -l foreground -d 'run in the foreground, as daimon run does'
complete -c daimon -n '__daimon_is run' -l dry-run -d 'check everything, print the plan, change nothing'
complete -c daimon -n '__daimon_is run' -l guard -rF -d 'lock this file during the action, so that one command at a time starts or stops the daemon'
complete -c daimon -n '__daimon_is run' -l save -d 'with a name: when PROGRAM was started, write the definition of that name from these options'
complete -c daimon -n '__daimon_is run' -s h -l help -d 'print the command'\''s help'
complete -c daimon -n '__daimon_is restart' -s p -l pidfile -rF -d 'write the daemon'\''s pid to this file, which is locked as long as the daemon lives'
complete -c daimon -n '__daimon_is restart' -s l -l lock -rF -d 'hold a second lock, on a file of its own, which is never written'
complete -c daimon -n '__daimon_is restart' -l no-lock -d 'do not lock the pidfile, for a daemon that is controlled with --pid-only'
complete -c daimon -n '__daimon_is restart' -s c -l chdir -x -a '(__fish_complete_directories)' -d 'working directory'
complete -c daimon -n '__daimon_is restart' -s m -l umask -x -d 'file mode creation mask, octal'
complete -c daimon -n '__daimon_is restart' -s o -l stdout -rF -a 'journal syslog syslog:' -d 'where output goes: a file'
complete -c daimon -n '__daimon_is restart' -s e -l stderr -rF -a 'journal syslog syslog:' -d 'where errors go: as -o'
complete -c daimon -n '__daimon_is restart' -l sigpipe -d 'with |COMMAND: leave SIGPIPE its default, so that PROGRAM ends when it writes after COMMAND has ended'
complete -c daimon -n '__daimon_is restart' -l truncate -d 'empty the output files first'
complete -c daimon -n '__daimon_is restart' -s a -l append -d 'append to the output files: the default'
complete -c daimon -n '__daimon_is restart' -s u -l user -x -a '(__fish_complete_users)' -d 'become this user (and group): name, number or #number'
complete -c daimon -n '__daimon_is restart' -s g -l group -x -a '(__fish_complete_groups)' -d 'become this group: name, number or #number'
complete -c daimon -n '__daimon_is restart' -l groups -x -a '(__fish_complete_groups) none' -d 'with -u or -g: supplementary groups, separated by commas, in place of the user'\''s own'
complete -c daimon -n '__daimon_is restart' -l pidfile-owner -x -a 'root user' -d 'with -u or -g: who owns the pidfile and the lock file'
complete -c daimon -n '__daimon_is restart' -l mkdir -d 'make the missing directories of pidfile, lock and output files, for the owner of the file'
complete -c daimon -n '__daimon_is restart' -l chroot -x -a '(__fish_complete_directories)' -d 'root directory'
complete -c daimon -n '__daimon_is restart' -l rlimit -x -a 'cpu= fsize= data= stack= core= rss= nproc= nofile= memlock= as= locks= sigpending= msgqueue= nice= rtprio= rttime=' -d 'limit a resource, such as nofile=1024:4096, by the name and in the unit of setrlimit'
complete -c daimon -n '__daimon_is restart' -l nice -x -d 'niceness, from -20 to 19'
complete -c daimon -n '__daimon_is restart' -l oom-score-adj -x -d 'priority for the out-of-memory killer, from -1000 (never killed) to 1000 (killed first)'
complete -c daimon -n '__daimon_is restart' -l no-new-privs -d 'set no_new_privs: set-user-id programs give PROGRAM no privileges'
complete -c daimon -n '__daimon_is restart' -l keep-cap -x -a 'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE none' -d 'keep this capability, such as NET_BIND_SERVICE, and give up all that are not named'
complete -c daimon -n '__daimon_is restart' -l no-close-fds -d 'let the program inherit every descriptor of the caller'
complete -c daimon -n '__daimon_is restart' -l keep-fd -x -d 'let the program inherit this descriptor'
complete -c daimon -n '__daimon_is restart' -l listen -x -a 'tcp: unix:' -d 'listen at tcp:[HOST:]PORT[=NAME] or unix:PATH[=NAME], and give PROGRAM the socket as systemd does: as descriptor 3, 4 and so on, with LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID'
complete -c daimon -n '__daimon_is restart' -s E -l env -x -d 'set a variable'
complete -c daimon -n '__daimon_is restart' -s n -l name -x -d 'the program'\''s name for itself, argv[0]'
complete -c daimon -n '__daimon_is restart' -s v -l verbose -d 'report each step on standard error'
complete -c daimon -n '__daimon_is restart' -l signal -x -a 'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH POLL PWR SYS' -d 'the first signal'
complete -c daimon -n '__daimon_is restart' -l timeout -x -d 'how long to wait after the first signal'
complete -c daimon -n '__daimon_is restart' -l then -x -a 'HUP: INT: QUIT: ILL: TRAP: ABRT: BUS: FPE: KILL: USR1: SEGV: USR2: PIPE: ALRM: TERM: STKFLT: CHLD: CONT: STOP: TSTP: TTIN: TTOU: URG: XCPU: XFSZ: VTALRM: PROF: WINCH: POLL: PWR: SYS: none' -d 'the next signal, and how long to wait after it'
complete -c daimon -n '__daimon_is restart' -l session -d 'stop every process of the daemon'\''s session'
complete -c daimon -n '__daimon_is restart' -l self -d 'PROGRAM daemonizes itself and locks the pidfile: run it, and wait until it has done so'
complete -c daimon -n '__daimon_is restart' -l start-timeout -x -d 'the same as --ready-timeout'
complete -c daimon -n '__daimon_is restart' -l ready -x -a 'alive: notify notify:all fd: tcp: unix: file: log: exec exit' -d 'wait until PROGRAM is ready: alive:T, notify, notify:all, fd:N, tcp:[HOST:]PORT, unix:PATH, file:PATH or log:TEXT'
complete -c daimon -n '__daimon_is restart' -l ready-timeout -x -d 'with --ready (but alive:T) or --self: how long that may take'
complete -c daimon -n '__daimon_is restart' -l wait -x -d 'the same as --ready alive:T: PROGRAM still runs then'
complete -c daimon -n '__daimon_is restart' -l guard -rF -d 'lock this file during the action, so that one command at a time starts or stops the daemon'
complete -c daimon -n '__daimon_is restart' -l overlap -d 'with --ready and --listen: stop the old daemon only when the new one is ready'
complete -c daimon -n '__daimon_is restart' -l pid-only -d 'trust a pidfile that nobody has locked, for daemons that lock nothing'
complete -c daimon -n '__daimon_is restart' -l save -d 'with a name: when PROGRAM was started, write the definition of that name from these options'
complete -c daimon -n '__daimon_is restart' -s h -l help -d 'print the command'\''s help'
complete -c daimon -n '__daimon_is stop' -s p -l pidfile -rF -d 'the daemon'\''s pidfile'
complete -c daimon -n '__daimon_is stop' -l all -d 'stop every daemon that has a name and runs, side by side'
complete -c daimon -n '__daimon_is stop' -l signal -x -a 'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH POLL PWR SYS' -d 'the first signal'
complete -c daimon -n '__daimon_is stop' -l timeout -x -d 'how long to wait after the first signal'
complete -c daimon -n '__daimon_is stop' -l then -x -a 'HUP: INT: QUIT: ILL: TRAP: ABRT: BUS: FPE: KILL: USR1: SEGV: USR2: PIPE: ALRM: TERM: STKFLT: CHLD: CONT: STOP: TSTP: TTIN: TTOU: URG: XCPU: XFSZ: VTALRM: PROF: WINCH: POLL: PWR: SYS: none' -d 'the next signal, and how long to wait after it'
complete -c daimon -n '__daimon_is stop' -l session -d 'stop every process of the daemon'\''s session'
complete -c daimon -n '__daimon_is stop' -l guard -rF -d 'lock this file during the action, so that one command at a time starts or stops the daemon'
complete -c daimon -n '__daimon_is stop' -l pid-only -d 'trust a pidfile that nobody has locked, for daemons that lock nothing'
complete -c daimon -n '__daimon_is stop' -s h -l help -d 'print the command'\''s help'
complete -c daimon -n '__daimon_is status' -s p -l pidfile -rF -d 'the daemon'\''s pidfile'
complete -c daimon -n '__daimon_is status' -l json -d 'print all that is known, as JSON'
complete -c daimon -n '__daimon_is status' -l guard -rF -d 'the guard file of the start, which has recorded the daemon'\''s process'
complete -c daimon -n '__daimon_is status' -l pid-only -d 'trust a pidfile that nobody has locked, for daemons that lock nothing'
complete -c daimon -n '__daimon_is status' -s h -l help -d 'print the command'\''s help'
complete -c daimon -n '__daimon_is reload' -s p -l pidfile -rF -d 'the daemon'\''s pidfile'
complete -c daimon -n '__daimon_is reload' -l guard -rF -d 'the guard file of the start, which has recorded the daemon'\''s process'
complete -c daimon -n '__daimon_is reload' -l pid-only -d 'trust a pidfile that nobody has locked, for daemons that lock nothing'
complete -c daimon -n '__daimon_is reload' -s h -l help -d 'print the command'\''s help'
complete -c daimon -n '__daimon_is signal' -s p -l pidfile -rF -d 'the daemon'\''s pidfile'
complete -c daimon -n '__daimon_is signal' -l guard -rF -d 'the guard file of the start, which has recorded the daemon'\''s process'
complete -c daimon -n '__daimon_is signal' -l pid-only -d 'trust a pidfile that nobody has locked, for daemons that lock nothing'
complete -c daimon -n '__daimon_is signal' -s h -l help -d 'print the command'\''s help'
complete -c daimon -n '__daimon_is wait' -s p -l pidfile -rF -d 'the daemon'\''s pidfile'
complete -c daimon -n '__daimon_is wait' -l timeout -x -d 'give up after this time, with exit status 75'
complete -c daimon -n '__daimon_is wait' -l guard -rF -d 'the guard file of the start, which has recorded the daemon'\''s process'
complete -c daimon -n '__daimon_is wait' -l pid-only -d 'trust a pidfile that nobody has locked, for daemons that lock nothing'
complete -c daimon -n '__daimon_is wait' -s h -l help -d 'print the command'\''s help'
complete -c daimon -n '__daimon_is show' -s h -l help -d 'print the command'\''s help'
complete -c daimon -n '__daimon_is check' -s h -l help -d 'print the command'\''s help'
complete -c daimon -n '__daimon_is list' -l json -d 'print all that is known, as JSON'
complete -c daimon -n '__daimon_is list' -s u -l user -x -a '(__fish_complete_users)' -d 'list this user'\''s daemons, as far as they are in the usual directories'
complete -c daimon -n '__daimon_is list' -s h -l help -d 'print the command'\''s help'
complete -c daimon -n '__daimon_is logs' -s n -l lines -x -d 'how many lines to begin with'
complete -c daimon -n '__daimon_is logs' -s f -l follow -d 'go on with what is written from now on, through rotations'
complete -c daimon -n '__daimon_is logs' -l until-exit -d 'with -f: end when the daemon has ended and all is printed'
complete -c daimon -n '__daimon_is logs' -s h -l help -d 'print the command'\''s help'

# Tells whether the next word is the value of a command's option.
function __daimon_awaits
    set -l awaits
    switch $argv[1]
        case start
            set awaits '^-[avfh]*[plcmoeugEn]$|^--(pidfile|lock|chdir|umask|stdout|stderr|user|group|groups|pidfile-owner|chroot|rlimit|nice|oom-score-adj|keep-cap|keep-fd|listen|env|name|start-timeout|ready|ready-timeout|wait|guard)$'
        case run
            set awaits '^-[avfh]*[plcmoeugEn]$|^--(pidfile|lock|chdir|umask|stdout|stderr|user|group|groups|pidfile-owner|chroot|rlimit|nice|oom-score-adj|keep-cap|keep-fd|listen|env|name|guard)$'
        case restart
            set awaits '^-[avh]*[plcmoeugEn]$|^--(pidfile|lock|chdir|umask|stdout|stderr|user|group|groups|pidfile-owner|chroot|rlimit|nice|oom-score-adj|keep-cap|keep-fd|listen|env|name|signal|timeout|then|start-timeout|ready|ready-timeout|wait|guard)$'
        case stop
            set awaits '^-[h]*[p]$|^--(pidfile|signal|timeout|then|guard)$'
        case status
            set awaits '^-[h]*[p]$|^--(pidfile|guard)$'
        case reload
            set awaits '^-[h]*[p]$|^--(pidfile|guard)$'
        case signal
            set awaits '^-[h]*[p]$|^--(pidfile|guard)$'
        case wait
            set awaits '^-[h]*[p]$|^--(pidfile|timeout|guard)$'
        case show
            set awaits '^--()$'
        case check
            set awaits '^--()$'
        case list
            set awaits '^-[h]*[u]$|^--(user)$'
        case logs
            set awaits '^-[fh]*[n]$|^--(lines)$'
    end
    set -q awaits[1]; and string match -qr -- $awaits $argv[2]
end
# table:end
