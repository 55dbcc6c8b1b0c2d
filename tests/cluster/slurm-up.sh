#!/bin/sh
# A throw-away Slurm of three nodes on this one machine: Debian's packages, root, no systemd, loopback only.
# Everything lies under $LAB; nothing is written to /etc/slurm or /etc/munge. Up already: nothing happens.
#
#   LAB=/tmp/slurm-lab tests/cluster/slurm-up.sh && . /tmp/slurm-lab/env.sh && sinfo
#
# Node 1 has the feature `rack`, node 2 `cuda` and a GPU (that is /dev/null), node 3 `mini` and `macos`, which
# it only says of itself.
set -eu

LAB=${LAB:?the folder of the throw-away cluster}
NODES=3
[ "$(id -u)" = 0 ] || { echo "slurm-up: needs root, to start jobs as other users" >&2; exit 1; }

missing=""
for package in slurmctld slurmd slurm-client munge; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
    # Their scripts would start daemons of their own.
    policy=/usr/sbin/policy-rc.d
    made=""
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' > $policy
        chmod +x $policy
        made=yes
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get -o DPkg::Lock::Timeout=300 update -qq >&2
    # shellcheck disable=SC2086
    apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $missing >&2
    [ -z "$made" ] || rm -f $policy
fi

mkdir -p "$LAB/etc" "$LAB/log" "$LAB/run" "$LAB/state" "$LAB/spool" "$LAB/munge"
chmod 755 "$LAB" "$LAB/etc" "$LAB/log" "$LAB/run" "$LAB/state" "$LAB/spool" "$LAB/munge"
if [ ! -s "$LAB/munge/key" ]; then
    (umask 077 && head -c 1024 /dev/urandom > "$LAB/munge/key")
fi
chown -R munge:munge "$LAB/munge"
socket=$LAB/munge/socket

host=$(hostname -s)
cores=$(nproc)
memory=$(($(awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo) * 8 / 10 / NODES))
[ "$memory" -le 4000 ] || memory=4000
{
    cat <<CONF
ClusterName=lab
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=16817
AuthType=auth/munge
AuthInfo=socket=$socket
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation=$LAB/state
SlurmdSpoolDir=$LAB/spool/%n
SlurmctldPidFile=$LAB/run/slurmctld.pid
SlurmdPidFile=$LAB/run/slurmd.%n.pid
SlurmctldLogFile=$LAB/log/slurmctld.log
SlurmdLogFile=$LAB/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
# The default waits seconds between two looks, which is right for a cluster and long for a test.
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=5,bf_interval=2
# Several nodes share one machine: what is written here counts, and not what they find.
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=15
KillWait=5
JobRequeue=1
MinJobAge=3600
MaxArraySize=1001
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
GresTypes=gpu
CONF
    for number in 1 2 3; do
        case $number in
            1) has="Feature=linux,rack" ;;
            2) has="Feature=linux,cuda Gres=gpu:fake:1" ;;
            3) has="Feature=mini,macos" ;;
        esac
        echo "NodeName=n$number NodeHostname=$host NodeAddr=127.0.0.1 Port=$((17000 + number))" \
            "CPUs=$cores CoresPerSocket=$cores Sockets=1 ThreadsPerCore=1 RealMemory=$memory $has State=UNKNOWN"
    done
    echo "PartitionName=main Nodes=n[1-$NODES] Default=YES MaxTime=INFINITE DefaultTime=10 DefMemPerCPU=200 State=UP"
} > "$LAB/etc/slurm.conf"
echo "NodeName=n2 Name=gpu Type=fake File=/dev/null" > "$LAB/etc/gres.conf"
echo "export SLURM_CONF=$LAB/etc/slurm.conf" > "$LAB/env.sh"
export SLURM_CONF="$LAB/etc/slurm.conf"

alive() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }
# Waits until a question is answered with yes, for a minute at most.
until_true() {
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ "$tries" -lt 240 ] || return 1
        sleep 0.25
    done
}
controller_answers() { timeout 5 scontrol ping 2>/dev/null | grep -q 'is UP'; }
all_nodes_are_up() {
    states=$(timeout 5 sinfo -h -N -o '%N %t' 2>/dev/null) || return 1
    echo "$states" | awk '$2 ~ /^(down|drain|unk)/ {print $1}' | while read -r node; do
        scontrol update NodeName="$node" State=RESUME 2>/dev/null || true
    done
    [ "$(echo "$states" | grep -cE ' (idle|mix|alloc)$')" = $NODES ]
}

if ! alive "$LAB/run/munged.pid"; then
    rm -f "$socket" "$socket.lock"
    # The pid file's folder is root's, so munged writes it where it may, and it is linked from there.
    runuser -u munge -- /usr/sbin/munged --key-file="$LAB/munge/key" --socket="$socket" \
        --pid-file="$LAB/munge/pid" --log-file="$LAB/munge/log" --seed-file="$LAB/munge/seed"
    ln -sf "$LAB/munge/pid" "$LAB/run/munged.pid"
fi
alive "$LAB/run/slurmctld.pid" || slurmctld
until_true controller_answers || { tail -5 "$LAB/log/slurmctld.log" >&2; exit 1; }
for number in 1 2 3; do
    mkdir -p "$LAB/spool/n$number"
    alive "$LAB/run/slurmd.n$number.pid" || slurmd -N "n$number"
done
until_true all_nodes_are_up || { sinfo -N >&2; tail -5 "$LAB"/log/slurmd.*.log >&2; exit 1; }
