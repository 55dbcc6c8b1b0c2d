#!/bin/sh
# Ends what slurm-up.sh started, by the process ids it wrote down, and removes $LAB.
set -u

LAB=${LAB:?the folder of the throw-away cluster}
[ -d "$LAB" ] || exit 0
export SLURM_CONF="$LAB/etc/slurm.conf"

# Ends the process of a pid file, in order, and by force after ten seconds.
end() {
    [ -s "$1" ] || return 0
    process=$(cat "$1")
    kill "$process" 2>/dev/null || return 0
    tries=0
    while kill -0 "$process" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 40 ] || { kill -KILL "$process" 2>/dev/null; return 0; }
        sleep 0.25
    done
}

timeout 10 scancel --state=PENDING,RUNNING,SUSPENDED >/dev/null 2>&1
timeout 10 scancel --signal=KILL --full --state=RUNNING >/dev/null 2>&1
for file in "$LAB"/run/slurmd.*.pid; do end "$file"; done
# The daemons of jobs outlive a node that was killed. Ours are those that know our configuration.
for process in /proc/[0-9]*; do
    [ "$(cat "$process/comm" 2>/dev/null)" = slurmstepd ] || continue
    tr '\0' '\n' < "$process/environ" 2>/dev/null | grep -qx "SLURM_CONF=$SLURM_CONF" &&
        kill -KILL "${process#/proc/}"
done
end "$LAB/run/slurmctld.pid"
end "$LAB/munge/pid"
rm -rf "$LAB"
