# Source this file: the commands of this shell then read the configuration of the skeleton project.
#
#   source projects/skeleton/testing/configure.sh
#   ./run_toolbox.py from_config skeleton_target measure

if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then
    echo "ERROR: source this file instead of running it: source $0" >&2
    exit 2
fi

_testing_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

export TOPSAIL_FROM_CONFIG_FILE="$_testing_dir/config.yaml"
export TOPSAIL_FROM_COMMAND_ARGS_FILE="$_testing_dir/command_args.yaml.j2"

unset _testing_dir
