# shellcheck shell=bash
# Sourced by tools/test and tools/suite: where the tests of each suite are.

declare -A test_files=(
    [unit]='test/unit/*.cc'
    [regress]='test/sql/*.sql'
    [isolation]='test/specs/*.spec'
    [tap]='test/t/*.pl'
)

# TAP tests that cannot share an installation with others: they replace the library in it.
# shellcheck disable=SC2034  # tools/suite reads it
runs_alone=migration

# tests_of SUITE: its tests, names without folder and suffix, restricted to TESTS where that is set.
tests_of() {
    local file name
    for file in ${test_files[$1]}; do
        [ -f "$file" ] || continue
        name=$(basename "${file%.*}")
        [ -z "${TESTS:-}" ] || [[ " $TESTS " == *" $name "* ]] || continue
        printf '%s\n' "$name"
    done
}
