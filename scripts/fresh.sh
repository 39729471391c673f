#!/usr/bin/env bash
# Check the promises of README.md and docs/operations.md on a fresh machine: a bare Debian 12 with only Python and make.
# The script types the commands exactly as the pages print them.
#
#     scripts/fresh.sh [STEP ...]       make fresh: run test install; only that user runs a step such as "test:root"
#
#     run       run `make run` as root and as a separate user, and end it with Ctrl-C
#     test      run `make test` as both; tests that need other packages are skipped, and files outside the clone stay
#     install   follow the handbook's section "Install" and its first checks, and let a receiver take a report
#     ci        run `.ci/run` as root: it installs what tests need, and a skip is a failure (large)
#
# The script needs root, or `uidmap` to be root of a user namespace. It needs git, mmdebstrap, a Debian mirror and a
# package index. It passes on the caller's VETLLA_FRESH_MIRROR, PIP_* variables of an index, proxy variables, and the
# certificates of PIP_CERT or SSL_CERT_FILE. It changes nothing on the machine itself.
set -euo pipefail

readonly RUN_S=20
readonly PASSED_ON='^(PIP_(INDEX_URL|EXTRA_INDEX_URL|TRUSTED_HOST|PROXY|DEFAULT_TIMEOUT)|https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY)='
readonly CERTIFICATES=/etc/ssl/certs/ca-certificates.crt
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

for step in "$@"; do
    case $step in
        run | run:root | run:anna | test | test:root | test:anna | install | ci) ;;
        *)
            sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
            exit 64
            ;;
    esac
done

say() { printf '\n== %s\n' "$*"; }

# --- outside the namespace: make the bare system once -----------------------------------------------------------------

if [[ -z ${VETLLA_FRESH_IN:-} ]]; then
    for program in git mmdebstrap unshare; do
        command -v "$program" >/dev/null || { echo "fresh: $program is missing: apt-get install git mmdebstrap" >&2; exit 69; }
    done
    work=$(mktemp -d "${TMPDIR:-/var/tmp}/vetlla-fresh.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    say "a bare Debian 12: python3.11, python3.11-venv, make"
    mmdebstrap --quiet --variant=minbase --include=python3.11,python3.11-venv,make \
        bookworm "$work/system.tar" ${VETLLA_FRESH_MIRROR:+"$VETLLA_FRESH_MIRROR"}
    git -C "$here" bundle create -q "$work/clone.bundle" HEAD
    namespaces=(--mount --pid --fork --kill-child)
    ((EUID == 0)) || namespaces+=(--user --map-auto --map-root-user)
    VETLLA_FRESH_IN=$work unshare "${namespaces[@]}" "$0" "$@" && say "every step succeeded"
    exit
fi

# --- inside our own mount namespace -----------------------------------------------------------------------------------

work=$VETLLA_FRESH_IN
mapfile -t passed_on < <(env | grep -E "$PASSED_ON" || true)

# Make a separate system for one step, with the bundle of HEAD in its /tmp.
open_system() {
    root=$work/$1
    mkdir -p "$root"
    mount --bind "$root" "$root"  # so that its root is a mount point
    tar -xf "$work/system.tar" -C "$root" --exclude='./dev/*'
    for device in null zero full random urandom tty; do
        : >"$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    mkdir -p "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    ln -s fd/0 "$root/dev/stdin"
    ln -s fd/1 "$root/dev/stdout"
    ln -s fd/2 "$root/dev/stderr"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    mount -t proc proc "$root/proc"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    echo '127.0.0.1 localhost' >"$root/etc/hosts"  # Debian's installer writes it, but mmdebstrap does not
    local certificates=${PIP_CERT:-${SSL_CERT_FILE:-}}
    [[ -z $certificates ]] || install -D -m 0644 "$certificates" "$root$CERTIFICATES"
    enter root useradd --create-home anna
    cp "$work/clone.bundle" "$root/tmp/clone.bundle"
}

close_system() {
    umount -R "$root"
    rm -rf "$root"
}

# enter WHO COMMAND...: run a command there with a login's environment, the passed-on variables and no input.
enter() {
    local who=$1 home=/root
    shift
    [[ $who == root ]] || home=/home/$who
    local settings=("HOME=$home" "USER=$who" LANG=C.UTF-8 TERM=xterm PIP_QUIET=1 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
    [[ ! -e $root$CERTIFICATES ]] || settings+=("PIP_CERT=$CERTIFICATES")
    chroot "$root" env -i "${settings[@]}" "${passed_on[@]}" runuser -u "$who" -- "$@" </dev/null
}

# Clone HEAD into the home of WHO.
clone() {
    local who=$1 home=/root
    [[ $who == root ]] || home=/home/$who
    git -c advice.detachedHead=false clone -q "$work/clone.bundle" "$root$home/vetlla"
    enter root chown -R "$who:" "$home/vetlla"
    clone=$home/vetlla
}

# List every file outside the clone and the directories of temporary files: name, size and time of change.
listed() {
    enter root find / -xdev \( -path /proc -o -path /tmp -o -path /var/tmp -o -path "$clone" \) -prune \
        -o -type f -printf '%p %s %T@\n' | LC_ALL=C sort
}

run_step() {
    clone "$1"
    say "make run, as $1, for $RUN_S s and then Ctrl-C"
    # Set everything up first: it takes a minute. As a terminal's Ctrl-C does, the signal reaches the foreground group.
    enter "$1" bash -c "cd '$clone' && time make .venv/.ready"
    enter "$1" bash -c "cd '$clone' && timeout --signal=INT --preserve-status $RUN_S make run" | tee "$work/told" || true
    grep -Eq '^[1-9][0-9]* of [1-9][0-9]* reports acknowledged' "$work/told"
}

test_step() {
    clone "$1"
    say "make test, as $1"
    local before after
    before=$(listed)
    enter "$1" bash -c "cd '$clone' && time make test"
    after=$(listed)
    diff <(echo "$before") <(echo "$after") || { echo "fresh: the tests changed files outside the clone" >&2; exit 1; }
}

ci_step() {
    clone root
    say ".ci/run, as root"
    enter root bash -c "cd '$clone' && time .ci/run"
}

# Print the fenced blocks of a section of the handbook.
printed() {
    awk -v section="## $1" '
        /^## / { inside = $0 == section }
        inside && /^```/ { fenced = !fenced; if (!fenced) print ""; next }
        inside && fenced' "$root$clone/docs/operations.md"
}

install_step() {
    clone root
    say "the handbook's installation"
    echo '== systemd, which the handbook requires'
    enter root bash -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends systemd netcat-openbsd >/dev/null'
    printed Install | tee "$root$clone/typed"
    enter root bash -euc "cd '$clone' && time source ./typed"
    say "its first start"
    enter vetlla vetlla check-config
    # Status 1 is a warning: a disk that other work shares may be slow. Status 2 would stop the receiver from working.
    enter vetlla vetlla doctor || (($? == 1))
    enter root systemd-analyze verify /etc/systemd/system/vetlla.service /etc/systemd/system/vetlla-backup.timer
    enter vetlla bash -euc '
        printf "account,home\n1234,H0001\n" | vetlla accounts import - --format csv
        vetlla receiver --listen dc09=127.0.0.1:9009 2>/dev/null &
        vetlla status --wait 30
        printf "\n90170027\"ADM-CID\"0001L0#1234[#1234|1101 00 003]\r" | nc -q1 127.0.0.1 9009
        vetlla queue list
        vetlla inventory sample --homes 20 --out /tmp/sample
        kill %1
        wait %1'
    say "number of installed packages"
    enter root env -u PIP_QUIET /opt/vetlla/bin/pip list --format=freeze | wc -l
}

((EUID == 0)) || { echo "fresh: this needs root of its namespace" >&2; exit 1; }
mount --make-rprivate /
steps=("$@")
((${#steps[@]})) || steps=(run test install)
for step in "${steps[@]}"; do
    case $step in
        run | test) taken=("$step:root" "$step:anna") ;;
        *) taken=("$step") ;;
    esac
    for one in "${taken[@]}"; do
        open_system "${one/:/-}"
        "${one%:*}_step" "${one#*:}"
        close_system
    done
done
