#!/bin/bash
# Install the programs that the tests start. Debian or Ubuntu, as root; a second run does nothing.
set -o errexit -o nounset -o pipefail

packages="radosgw ceph-mon ceph-mgr ceph-osd ceph-mds ceph-common postgresql chromium"

missing=""
for package in $packages; do
    dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
        missing="$missing $package"
done
[ -z "$missing" ] && exit 0

export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
# shellcheck disable=SC2086  # one word each
apt-get install --quiet --yes --no-install-recommends $missing
