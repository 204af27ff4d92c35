// The outbox: where an event stands in the order of reading, and reading it.
//
// Who reads by transaction id and number, and only what stands below the oldest running transaction, misses nothing.
// But a transaction that got its id early may book for a profile after one with a later id has. So an event does not
// carry its own transaction's id but the last one given out when it was written: that is never below its own
// transaction's, so the event still shows up only when that has ended; and since bookings for a member come one after
// the other, the ids of their events never fall.
#include <charconv>
#include <limits>

#include "pg/events/outbox.hpp"
#include "pg/jobs/job.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/kept_value.hpp"
#include "pg/server/owner.hpp"
#include "pg/server/spi.hpp"
#include "pg/server/trigger.hpp"

extern "C" {
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "commands/trigger.h"
#include "utils/xid8.h"
}

namespace loyalty::pg {

namespace {

constexpr int most_events = 100'000;
constexpr int most_deletions = 1'000'000;
constexpr int most_workers = 1'000;

// ---------------------------------------------------------------------------------------------------------------------
// Writing

Argument system_identifier() { return bigint_argument(static_cast<std::int64_t>(GetSystemIdentifier())); }

// Pinning the search path would cost each event more than all the rest, so the trigger qualifies its names.
std::optional<std::int32_t> find_epoch() {
    static Query query("SELECT epoch FROM loyalty.event_epochs WHERE system_identifier OPERATOR(pg_catalog.=) $1",
                       {INT8OID});
    const Rows rows = query.run({system_identifier()});
    return rows.size() == 0 ? std::nullopt : std::optional(rows.integer(0, 1));
}

std::int32_t make_epoch() {
    static Query lock("LOCK TABLE loyalty.event_epochs IN EXCLUSIVE MODE", {});
    static Query make(
        "INSERT INTO loyalty.event_epochs (epoch, system_identifier)"
        " SELECT coalesce(pg_catalog.max(epoch), 0) OPERATOR(pg_catalog.+) 1, $1"
        "     FROM loyalty.event_epochs RETURNING epoch",
        {INT8OID});
    const AsOwner as_owner = AsOwner::going_on();
    const Spi connection;
    lock.run({}, true);
    const LatestSnapshot latest;
    const auto made_meanwhile = find_epoch();
    return made_meanwhile ? *made_meanwhile : make.run({system_identifier()}, true).integer(0, 1);
}

// The epoch of this server.
std::int32_t this_epoch() {
    static KeptValue<std::optional<std::int32_t>> kept("event_epochs", find_epoch);
    const auto known = kept.get().value_or(std::nullopt);
    return known ? *known : make_epoch();
}

}  // namespace

void prepare_outbox() { this_epoch(); }

namespace {

// At least the current transaction's own.
FullTransactionId last_transaction_id() {
    GetTopFullTransactionId();
    return FullTransactionIdFromU64(U64FromFullTransactionId(ReadNextFullTransactionId()) - 1);
}

HeapTuple with_place(const OwnTrigger& trigger, std::int32_t epoch, TimestampTz now) {
    const TupleDesc row = trigger.row();
    const HeapTuple given = trigger->tg_trigtuple;
    const int epoch_column = column_of(row, "epoch", INT4OID), xid_column = column_of(row, "xid", XID8OID),
              moment_column = column_of(row, "created_at", TIMESTAMPTZOID);
    return postgres([=] {
        int columns[] = {epoch_column, xid_column, moment_column};
        Datum values[] = {Int32GetDatum(epoch), FullTransactionIdGetDatum(last_transaction_id()),
                          TimestampTzGetDatum(now)};
        bool nulls[] = {false, false, false};
        return heap_modify_tuple_by_cols(given, row, 3, columns, values, nulls);
    });
}

// ---------------------------------------------------------------------------------------------------------------------
// Reading

// Where an event stands, in text epoch/xid/number.
struct Position {
    std::int64_t epoch = 0, xid = 0, number = 0;
};

Position read_position(const std::string& text) {
    Position position;
    std::int64_t* const parts[] = {&position.epoch, &position.xid, &position.number};
    const char* at = text.data();
    const char* const end = at + text.size();
    bool right = true;
    for (std::int64_t* part : parts) {
        if (part != parts[0]) right = right && at != end && *at++ == '/';
        const auto [rest, error] = std::from_chars(at, end, *part);
        right = right && error == std::errc{} && *part >= 0;
        at = rest;
    }
    if (right && at == end && position.epoch <= std::numeric_limits<std::int32_t>::max()) return position;
    throw Error(sqlstate::wrong_position, "\"" + text + "\" is not a position among events",
                "A position reads epoch/transaction/number.", "Give the position of an event that was read, or null.");
}

std::int32_t in_range(std::int32_t value, int least, int most, const char* name) {
    if (value >= least && value <= most) return value;
    throw Error(sqlstate::value_out_of_range, std::string(name) + " is out of range",
                "It is " + std::to_string(value) + ".",
                "It is " + std::to_string(least) + " to " + std::to_string(most) + ".");
}

std::string named(std::string consumer) {
    if (consumer.empty()) throw Error(sqlstate::missing_field, "the consumer has no name");
    return consumer;
}

Argument xid_argument(std::int64_t xid) {
    return {FullTransactionIdGetDatum(FullTransactionIdFromU64(static_cast<std::uint64_t>(xid))), false};
}

// An event of another epoch was written by a transaction that has ended. The slice of a profile may not depend on the
// server's version, for the cursors outlive an upgrade.
Rows read_events(const Position& after, std::int32_t most, std::int32_t worker = 0, std::int32_t workers = 1) {
    static Query query(
        "SELECT format('%s/%s/%s', e.epoch, e.xid, e.number), e.program::text, e.type, e.profile, e.data, e.created_at"
        "  FROM loyalty.events e"
        " WHERE (e.epoch, e.xid, e.number) > ($1, $2, $3)"
        "   AND (e.xid < pg_snapshot_xmin(pg_current_snapshot())"
        "        OR e.epoch IS DISTINCT FROM (SELECT epoch FROM loyalty.event_epochs WHERE system_identifier = $4))"
        "   AND ($7 = 1 OR ('x' || left(md5(coalesce(e.profile, '')), 7))::bit(28)::integer % $7 = $6)"
        " ORDER BY e.epoch, e.xid, e.number LIMIT $5",
        {INT4OID, XID8OID, INT8OID, INT8OID, INT4OID, INT4OID, INT4OID});
    return query.run({integer_argument(static_cast<std::int32_t>(after.epoch)), xid_argument(after.xid),
                      bigint_argument(after.number), system_identifier(), integer_argument(most),
                      integer_argument(worker), integer_argument(workers)});
}

std::optional<Position> find_cursor(const std::string& consumer, std::int32_t worker, std::int32_t workers) {
    static Query query(
        "SELECT format('%s/%s/%s', epoch, xid, number) FROM loyalty.event_cursors"
        " WHERE consumer = $1 AND worker = $2 AND workers = $3 FOR NO KEY UPDATE",
        {TEXTOID, INT4OID, INT4OID});
    const Rows rows = query.run({text_argument(consumer), integer_argument(worker), integer_argument(workers)}, true);
    if (rows.size() == 0) return std::nullopt;
    return read_position(rows.text(0, 1));
}

// Cursors for a new number of workers, all where the slowest of the old ones stood.
void share_anew(const std::string& consumer, std::int32_t workers) {
    static Query lock("LOCK TABLE loyalty.event_cursors IN SHARE ROW EXCLUSIVE MODE", {});
    static Query share(
        "WITH former AS ("
        "    DELETE FROM loyalty.event_cursors WHERE consumer = $1"
        "        AND workers <> $2 RETURNING worker, epoch, xid, number)"
        " INSERT INTO loyalty.event_cursors AS cursor (consumer, worker, workers, epoch, xid, number)"
        " SELECT $1, worker, $2, coalesce(slowest.epoch, 0), coalesce(slowest.xid, '0'), coalesce(slowest.number, 0)"
        "   FROM generate_series(0, $2 - 1) AS worker"
        "   LEFT JOIN (SELECT epoch, xid, number FROM former ORDER BY epoch, xid, number LIMIT 1) slowest ON true"
        "  WHERE NOT EXISTS (SELECT FROM loyalty.event_cursors WHERE consumer = $1 AND workers = $2)",
        {TEXTOID, INT4OID});
    lock.run({}, true);
    share.run({text_argument(consumer), integer_argument(workers)}, true);
}

Position claim_cursor(const std::string& consumer, std::int32_t worker, std::int32_t workers) {
    if (const auto cursor = find_cursor(consumer, worker, workers)) return *cursor;
    share_anew(consumer, workers);
    if (const auto cursor = find_cursor(consumer, worker, workers)) return *cursor;
    throw Error(sqlstate::data_corrupted, "the place of consumer \"" + consumer + "\" was not stored", {},
                "Compare loyalty.event_cursors with that of a fresh installation.");
}

void acknowledge(const std::string& consumer, std::int32_t worker, std::int32_t workers, const Position& position) {
    static Query query(
        "UPDATE loyalty.event_cursors SET epoch = $4, xid = $5, number = $6, updated_at = $7"
        " WHERE consumer = $1 AND worker = $2 AND workers = $3 AND (epoch, xid, number) < ($4, $5, $6)",
        {TEXTOID, INT4OID, INT4OID, INT4OID, XID8OID, INT8OID, TIMESTAMPTZOID});
    if (!find_cursor(consumer, worker, workers)) {
        throw Error(
            sqlstate::unknown_worker,
            "consumer \"" + consumer + "\" has no worker " + std::to_string(worker) + " of " + std::to_string(workers),
            {}, "Claim events first; after another number of workers has claimed, claim again.");
    }
    query.run({text_argument(consumer), integer_argument(worker), integer_argument(workers),
               integer_argument(static_cast<std::int32_t>(position.epoch)), xid_argument(position.xid),
               bigint_argument(position.number), timestamp_argument(now())},
              true);
}

// ---------------------------------------------------------------------------------------------------------------------
// Deleting

// Events are read in the order in which they were written, so the first of them are the oldest.
std::int64_t delete_old(Datum age, std::int32_t most) {
    static Query query(
        "DELETE FROM loyalty.events e USING ("
        "    SELECT epoch, xid, number, created_at FROM loyalty.events ORDER BY epoch, xid, number LIMIT $3) first"
        " WHERE e.epoch = first.epoch AND e.xid = first.xid AND e.number = first.number"
        "   AND first.created_at < $1 - $2"
        "   AND NOT EXISTS (SELECT FROM loyalty.event_cursors c"
        "                    WHERE (c.epoch, c.xid, c.number) < (first.epoch, first.xid, first.number))",
        {TIMESTAMPTZOID, INTERVALOID, INT4OID});
    return static_cast<std::int64_t>(
        query.run({timestamp_argument(now()), {age, false}, integer_argument(most)}, true).size());
}

std::optional<std::int64_t> delete_batch(JobRun& run, int batch_size) {
    const std::int64_t deleted = delete_old(run.age(), batch_size);
    return deleted == 0 ? std::nullopt : std::optional(deleted);
}

}  // namespace

extern const Job delete_events_job;
const Job delete_events_job = {"delete_events", "deleted", "events", "events", delete_batch};

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_events_trigger);
Datum loyalty_events_trigger(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const OwnTrigger trigger(fcinfo, "loyalty_internal.events_trigger");
        trigger.require(trigger.is_before() && trigger.is_for_row() && trigger.is_insert(),
                        "BEFORE INSERT ... FOR EACH ROW");
        return PointerGetDatum(with_place(trigger, this_epoch(), now()));
    });
}

PG_FUNCTION_INFO_V1(loyalty_events_since);
Datum loyalty_events_since(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const auto after = given.text(0);
        const std::int32_t most = in_range(given.integer(1).value_or(1000), 1, most_events, "max_events");
        const AsOwner as_owner = AsOwner::reading();
        const Spi connection;
        return return_rows(fcinfo, read_events(after ? read_position(*after) : Position{}, most), 6);
    });
}

PG_FUNCTION_INFO_V1(loyalty_events_claim);
Datum loyalty_events_claim(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const std::string consumer = named(given.required(0, "consumer"));
        const std::int32_t workers = in_range(*given.integer(2), 1, most_workers, "workers");
        const std::int32_t worker = in_range(*given.integer(1), 0, workers - 1, "worker");
        const std::int32_t most = in_range(*given.integer(3), 1, most_events, "max_events");
        const AsOwner as_owner = AsOwner::writing();
        const Spi connection;
        return return_rows(fcinfo, read_events(claim_cursor(consumer, worker, workers), most, worker, workers), 6);
    });
}

PG_FUNCTION_INFO_V1(loyalty_events_ack);
Datum loyalty_events_ack(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const std::string consumer = given.required(0, "consumer");
        const std::int32_t worker = *given.integer(1), workers = *given.integer(2);
        const Position position = read_position(given.required(3, "position"));
        const AsOwner as_owner = AsOwner::writing();
        const Spi connection;
        acknowledge(consumer, worker, workers, position);
        return Datum{0};
    });
}

PG_FUNCTION_INFO_V1(loyalty_delete_events);
Datum loyalty_delete_events(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Datum age = require_age(PG_GETARG_DATUM(0));
        const std::int32_t most = in_range(PG_GETARG_INT32(1), 1, most_deletions, "max_events");
        const AsOwner as_owner = AsOwner::writing();
        const Spi connection;
        return Int64GetDatum(delete_old(age, most));
    });
}
}
