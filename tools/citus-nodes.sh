# shellcheck shell=bash
# Sourced by tools/on-citus and bench/scale: servers of their own beside the private server they run in, and clusters of
# these.

have_citus() {
    [ -f "$("${PG_CONFIG:-pg_config}" --pkglibdir)/citus.so" ]
}

# start_server FOLDER [SETTING]...: in a folder that it makes, where its socket lies, too; with database PGDATABASE.
start_server() {
    local folder=$1
    shift
    mkdir -p "$folder"
    initdb --pgdata="$folder/data" --username="$PGUSER" --auth=trust --encoding=UTF8 --locale=C --no-sync \
        >"$folder/initdb.log" 2>&1
    printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$folder'" \
        "timezone = 'UTC'" "log_timezone = 'UTC'" "$@" >>"$folder/data/postgresql.conf"
    pg_ctl start --silent --wait --pgdata="$folder/data" --log="$folder/server.log" ||
        { cat "$folder/server.log" >&2; return 1; }
    createdb -h "$folder" "$PGDATABASE"
}

# start_node FOLDER [SETTING]...: a server that can be a node of a cluster.
start_node() {
    local folder=$1
    shift
    start_server "$folder" "shared_preload_libraries = 'citus'" "citus.local_hostname = '$folder'" \
        'max_prepared_transactions = 100' "$@"
    psql -X -q -v ON_ERROR_STOP=1 -h "$folder" -c 'SET client_min_messages = warning' -c 'CREATE EXTENSION citus'
}

# distribute FRONT HOME...: makes a cluster of started nodes, given by their folders.
distribute() {
    local front=$1 home
    shift
    {
        echo "SET client_min_messages = warning; SELECT citus_set_coordinator_host('$front', $PGPORT);"
        for home in "$@"; do echo "SELECT citus_add_node('$home', $PGPORT);"; done
        echo 'CREATE EXTENSION loyalty; SELECT loyalty_distribute();'
    } | psql -X -q -v ON_ERROR_STOP=1 -h "$front" -o /dev/null
}

# stop_servers_in FOLDER
stop_servers_in() {
    local pid_file
    while IFS= read -r pid_file; do
        pg_ctl stop --silent --mode=immediate --pgdata="$(dirname "$pid_file")" || true
    done < <(find "$1" -name postmaster.pid 2>/dev/null)
}
