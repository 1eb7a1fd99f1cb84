#!/bin/sh
# Install redis-server, redis-cli, redis-benchmark and the module RediSearch from the distribution, where this may be
# done without asking: some tests compare with them and skip without them. Never fails.
set -u

missing=""
for program in redis-server redis-cli redis-benchmark; do
    command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
done
search=/usr/lib/redis/modules/redisearch.so
[ -z "$missing" ] && [ -e "$search" ] && exit 0

give_up() {
    echo "skipping the tests that need$missing: $1"
    exit 0
}

command -v apt-get >/dev/null 2>&1 || give_up "not installed, and there is no apt-get here"
sudo=""
if [ "$(id -u)" != 0 ]; then
    sudo="sudo -n"
    $sudo true 2>/dev/null || give_up "not installed, and installing needs root"
fi

# Debian starts a service when it installs one, unless this file says no; port 6379 is to stay free.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null && $sudo chmod +x "$policy"
    trap '$sudo rm -f "$policy"' EXIT
fi

echo "installing redis-server, redis-tools and redis-redisearch"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
install="$sudo apt-get install -y -q --no-install-recommends redis-server redis-tools"
if ! $install >"$log" 2>&1 && ! { $sudo apt-get update -q >>"$log" 2>&1 && $install >>"$log" 2>&1; }; then
    tail -n 3 "$log"
    rm -f "$log"
    give_up "apt-get could not install them"
fi
# Not every distribution has this one.
$sudo apt-get install -y -q --no-install-recommends redis-redisearch >"$log" 2>&1 || true
rm -f "$log"
