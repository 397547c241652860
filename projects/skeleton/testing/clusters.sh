#! /bin/bash

# Create or destroy the cluster that this project is tested on, as `clusters.create` in config.yaml
# says. The work is done by the cluster creation sub-project, which all projects share.

set -o errexit
set -o pipefail
set -o nounset

testing_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
creation="$testing_dir/../../cluster/testing/clusters.sh"

if [[ ! -x "$creation" ]]; then
    cat >&2 <<MESSAGE
ERROR: clusters cannot be created from this checkout: it needs the cluster creation sub-project,
  $creation
To test on a cluster that exists, point KUBECONFIG at it and run the entrypoints directly.
MESSAGE
    exit 2
fi

# shellcheck source=/dev/null
source "$testing_dir/configure.sh"
exec "$creation" "$@"
