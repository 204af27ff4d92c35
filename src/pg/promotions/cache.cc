#include "codec/listed_fields.hpp"
#include "codec/tree_reader.hpp"
#include "core/compile/compile.hpp"
#include "core/program/tree.hpp"

#include <algorithm>
#include <unordered_map>

#include "pg/promotions/cache.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/owner.hpp"
#include "pg/server/relation_changes.hpp"
#include "pg/server/schema_version.hpp"
#include "pg/server/trigger.hpp"
#include "pg/server/values.hpp"

extern "C" {
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "storage/lock.h"
}

namespace loyalty::pg {

namespace {

// What tells one statement of a client from the next.
struct Statement {
    LocalTransactionId transaction = InvalidLocalTransactionId;
    TimestampTz start = 0;

    friend bool operator==(const Statement&, const Statement&) = default;
};

// What tells one parallel query of a statement from the next: its snapshot.
struct ParallelQuery {
    TransactionId xmin = InvalidTransactionId, xmax = InvalidTransactionId;
    std::uint32_t running = 0, running_sub = 0;

    friend bool operator==(const ParallelQuery&, const ParallelQuery&) = default;
};

// What was found first, and so holds for all of a statement or parallel query.
template <class Extent>
struct Pins {
    Extent extent;
    std::unordered_map<std::string, CurrentProgram> programs;

    // The pinned programs of this extent; those of another are forgotten.
    std::unordered_map<std::string, CurrentProgram>& of(const Extent& now) {
        if (!(extent == now)) programs.clear();
        extent = now;
        return programs;
    }
};

struct Cache {
    // Reset by invalidations, which may arrive at any time.
    bool markets_valid = false;
    bool versions_valid = false;
    Oid programs_table = InvalidOid;
    Oid versions_table = InvalidOid;
    std::unordered_map<std::string, std::shared_ptr<const LiveProgram>> markets;
    std::unordered_map<std::string, std::shared_ptr<const AppliedVersion>> versions;
    std::optional<std::string> only_active;
    std::vector<Oid> profile_relations;  // whose names stand in the markets' queries

    // The transaction that last changed something itself. Its own statements must see that at once, and see it undone
    // when it is rolled back, so for it an invalidation drops the pins, too.
    LocalTransactionId changed_by = InvalidLocalTransactionId;
    bool pins_valid = false;
    Pins<Statement> pins;
    Pins<ParallelQuery> parallel_pins;
};

Cache& cache() {
    static Cache instance;
    return instance;
}

void invalidate(Datum, Oid table) {
    Cache& kept = cache();
    const bool markets =
        table == InvalidOid || table == kept.programs_table ||
        std::find(kept.profile_relations.begin(), kept.profile_relations.end(), table) != kept.profile_relations.end();
    const bool versions = table == InvalidOid || table == kept.versions_table;
    if (markets) kept.markets_valid = false;
    if (versions) kept.versions_valid = false;
    if ((markets || versions) && kept.changed_by == local_transaction()) kept.pins_valid = false;
}

Oid table_oid(const char* name) {
    return postgres([=] { return get_relname_relid(name, get_namespace_oid("loyalty", false)); });
}

// Finds the tables whose invalidations count; after the schema was made anew they are others, and nothing kept is
// valid.
void watch_tables() {
    static const bool registered = [] {
        hear_of_changes(invalidate);
        return true;
    }();
    static_cast<void>(registered);
    Cache& kept = cache();
    const Oid programs = table_oid("programs");
    const Oid versions = table_oid("promotion_versions");
    if (programs != kept.programs_table || versions != kept.versions_table) {
        kept.programs_table = programs;
        kept.versions_table = versions;
        kept.markets_valid = kept.versions_valid = false;
    }
}

[[noreturn]] void fail_unknown(const std::string& id) {
    throw Error(sqlstate::unknown_program, "program \"" + id + "\" does not exist", {},
                "Name one of loyalty.programs.");
}

std::string find_only_active() {
    static Query query("SELECT external_id FROM loyalty.programs WHERE active", {});
    const Rows rows = query.run({});
    if (rows.size() == 1) return rows.text(0, 1);
    throw Error(sqlstate::unknown_program, "the order names no program",
                std::to_string(rows.size()) + " programs are active.",
                rows.size() == 0 ? "Activate a program with UPDATE loyalty.programs SET active = true."
                                 : "Name one with \"program\".");
}

StatusKind status_kind(const std::string& kind) {
    if (kind == "delivered") return StatusKind::delivered;
    if (kind == "cancelled") return StatusKind::cancelled;
    if (kind == "refunded") return StatusKind::refunded;
    return StatusKind::open;
}

void load_point_types(LiveProgram& live) {
    static Query query(
        "SELECT t.external_id, t.active, loyalty_internal.deactivation(t.deactivates_at, t.deactivates_on, p.time_zone)"
        "  FROM loyalty.point_types t JOIN loyalty.programs p ON p.external_id = t.program WHERE t.program = $1",
        {TEXTOID});
    const Rows rows = query.run({text_argument(live.market.program)});
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn columns(rows, row);
        const std::string id = columns.text();
        live.market.point_types.insert(id);
        live.point_types[id] = {columns.boolean(), columns.timestamp()};
    }
}

FieldType listed_type(const std::string& name) {
    if (const auto type = codec::find_field_type(name)) return *type;
    throw Error(sqlstate::data_corrupted, "a custom field is listed with an unknown type",
                "Column \"type\" of loyalty.fields has \"" + name + "\".",
                "Restore the check of the column, and correct the row.");
}

void load_fields(Market& market) {
    static Query query(
        "SELECT f.name, f.type, f.required, f.default_value::text, f.kind = 'line'"
        "  FROM loyalty.fields f WHERE f.program = $1 AND f.kind IN ('order', 'line') ORDER BY f.name",
        {TEXTOID});
    const Rows rows = query.run({text_argument(market.program)});
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn columns(rows, row);
        Field field{columns.text(), listed_type(columns.text()), columns.boolean(),
                    columns.optional_text().value_or("")};
        (columns.boolean() ? market.fields.line : market.fields.order).push_back(std::move(field));
    }
}

std::shared_ptr<const LiveProgram> load_market(const std::string& id) {
    static Query query(
        "SELECT p.active, p.currency::text, p.currency_scale::integer,"
        "       coalesce(p.price_scale, p.currency_scale::integer), p.time_zone, p.profile_database, d.relation::oid,"
        "       d.key_column::text,"
        "       ARRAY(SELECT external_id FROM loyalty.channels WHERE program = p.external_id),"
        "       ARRAY(SELECT external_id FROM loyalty.contact_points"
        "           WHERE program = p.external_id ORDER BY external_id),"
        "       ARRAY(SELECT channel FROM loyalty.contact_points WHERE program = p.external_id ORDER BY external_id),"
        "       ARRAY(SELECT external_id FROM loyalty.regions WHERE program = p.external_id),"
        "       ARRAY(SELECT external_id FROM loyalty.order_statuses ORDER BY external_id),"
        "       ARRAY(SELECT position::integer FROM loyalty.order_statuses ORDER BY external_id),"
        "       ARRAY(SELECT kind FROM loyalty.order_statuses ORDER BY external_id),"
        "       EXISTS (SELECT FROM loyalty.tiers t WHERE t.program = p.external_id AND t.predicate IS NOT NULL)"
        "  FROM loyalty.programs p JOIN loyalty.profile_databases d ON d.external_id = p.profile_database"
        " WHERE p.external_id = $1",
        {TEXTOID});
    const Rows rows = query.run({text_argument(id)});
    if (rows.size() == 0) fail_unknown(id);

    auto live = std::make_shared<LiveProgram>();
    Market& market = live->market;
    market.program = id;
    ColumnsInTurn column(rows);
    market.active = column.boolean();
    market.currency = column.text();
    market.currency_scale = column.integer();
    market.price_scale = column.integer();
    market.time_zone = column.text();
    market.profile_database = live->profiles.profile_database = column.text();
    live->profiles.relation = column.oid();
    live->profiles.key_column = column.text();
    for (auto& channel : column.texts()) market.channels.insert(std::move(channel));
    const auto points = column.texts(), channels = column.texts(points.size());
    for (std::size_t i = 0; i < points.size(); i++) market.contact_points.emplace(points[i], channels[i]);
    for (auto& region : column.texts()) market.regions.insert(std::move(region));
    const auto statuses = column.texts();
    const auto positions = column.integers(statuses.size());
    const auto kinds = column.texts(statuses.size());
    for (std::size_t i = 0; i < statuses.size(); i++)
        market.statuses.emplace(statuses[i], Status{positions[i], status_kind(kinds[i])});
    live->judges_dynamic = column.boolean();
    column.end();
    load_point_types(*live);
    load_fields(market);

    live->profiles.bundled = live->profiles.relation == table_oid("profiles");
    auto& watched = cache().profile_relations;
    if (std::find(watched.begin(), watched.end(), live->profiles.relation) == watched.end())
        watched.push_back(live->profiles.relation);
    return live;
}

std::vector<Datum> load_predicates(const std::vector<Segment>& segments, MemoryContext memory) {
    std::vector<Datum> predicates;
    for (const auto& segment : segments) {
        if (segment.is_static()) {
            predicates.push_back(0);
            continue;
        }
        const char* text = segment.predicate.c_str();
        predicates.push_back(postgres([=] {
            char* predicate = pg_any_to_server(text, static_cast<int>(strlen(text)), PG_UTF8);
            MemoryContext before = MemoryContextSwitchTo(memory);
            const Datum path = DirectFunctionCall1(jsonpath_in, CStringGetDatum(predicate));
            MemoryContextSwitchTo(before);
            return path;
        }));
    }
    return predicates;
}

void load_predicates(AppliedVersion& version) {
    MemoryContext* memory = &version.memory;
    postgres(
        [=] { *memory = AllocSetContextCreate(CacheMemoryContext, "loyalty applied version", ALLOCSET_SMALL_SIZES); });
    version.predicates = load_predicates(version.program.segments, *memory);
    version.order_predicates = load_predicates(version.program.order_segments, *memory);
    version.profile_predicates = load_predicates(version.program.profile_segments, *memory);
}

std::vector<StoppedPromotion> stopped_promotions(const std::string& program) {
    static Query query(
        "SELECT p.external_id, p.state = 'ended'"
        "  FROM loyalty.promotions p LEFT JOIN loyalty.paused_promotions s ON s.program = $1"
        "      AND s.promotion = p.external_id"
        " WHERE p.program = $1 AND (p.state = 'ended' OR s.promotion IS NOT NULL) ORDER BY p.external_id",
        {TEXTOID});
    const Rows rows = query.run({text_argument(program)});
    std::vector<StoppedPromotion> stopped;
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn columns(rows, row);
        stopped.push_back({columns.text(), columns.boolean() ? PromotionState::ended : PromotionState::paused});
    }
    return stopped;
}

// What was not active stays what it was: its state tells more than that it is paused.
void stop_promotions(Tree& tree, const std::vector<StoppedPromotion>& stopped) {
    std::unordered_map<std::string_view, PromotionState> states;
    for (const auto& promotion : stopped) states.emplace(promotion.id, promotion.state);
    for (auto& promotion : tree.promotions) {
        const auto found = states.find(promotion.id);
        if (found == states.end()) continue;
        if (promotion.state == PromotionState::active || found->second == PromotionState::ended)
            promotion.state = found->second;
    }
}

std::shared_ptr<const AppliedVersion> load_version(const Market& market) {
    static Query query(
        "SELECT version, tree::text, xmin FROM loyalty.promotion_versions"
        "    WHERE program = $1 ORDER BY version DESC LIMIT 1",
        {TEXTOID});
    const Rows rows = query.run({text_argument(market.program)});
    if (rows.size() == 0) return make_version(empty_tree(market), 0);
    ColumnsInTurn columns(rows);
    const std::int32_t number = columns.integer();
    Tree tree = codec::read_tree(columns.text());
    const auto stopped = stopped_promotions(market.program);
    stop_promotions(tree, stopped);
    auto version = make_version(tree, number);
    version->stopped = stopped;
    version->applied_by = DatumGetTransactionId(columns.datum(XIDOID));
    return version;
}

// A transaction becomes visible shortly before its invalidations are sent, and releases its locks after that. So
// whoever changes the versions table holds this lock, and while anybody does, what is kept of the table is no proof.
LOCKTAG change_lock(Oid table) {
    LOCKTAG tag;
    SET_LOCKTAG_OBJECT(tag, MyDatabaseId, RelationRelationId, table, 0);
    return tag;
}

// Does not wait. A standby replays no such locks.
bool being_changed(Oid table) {
    const LOCKTAG tag = change_lock(table);
    return postgres([=] {
        if (RecoveryInProgress()) return false;
        if (LockAcquire(&tag, ShareLock, false, true) == LOCKACQUIRE_NOT_AVAIL) return true;
        LockRelease(&tag, ShareLock, false);
        return false;
    });
}

// Whether a later version was applied than `kept`, or a promotion ended, paused or resumed.
bool outdated(const AppliedVersion& kept, const std::string& program) {
    static Query query("SELECT coalesce(max(version), 0) FROM loyalty.promotion_versions WHERE program = $1",
                       {TEXTOID});
    const LatestSnapshot latest;
    return query.run({text_argument(program)}).integer(0, 1) != kept.program.version ||
           stopped_promotions(program) != kept.stopped;
}

template <class Value>
Value find_in(const std::unordered_map<std::string, Value>& map, const std::string& key) {
    const auto found = map.find(key);
    return found == map.end() ? Value{} : found->second;
}

// Processes of a parallel query cannot take a snapshot of their own. They all load under the common one, so that they
// work on one version, and keep it for the statement only, since it may be old.
CurrentProgram load_for_parallel(const std::optional<std::string>& wanted) {
    check_schema_version();
    CurrentProgram current;
    current.live = load_market(wanted ? *wanted : find_only_active());
    current.version = load_version(current.live->market);
    return current;
}

CurrentProgram look_up(const std::optional<std::string>& wanted) {
    Cache& kept = cache();
    if (!kept.markets_valid) {
        kept.markets_valid = true;
        kept.markets.clear();
        kept.only_active.reset();
        kept.profile_relations.clear();
    }
    if (!kept.versions_valid) {
        kept.versions_valid = true;
        kept.versions.clear();
    }
    const auto find = [&](const std::string& id) {
        return CurrentProgram{find_in(kept.markets, id), find_in(kept.versions, id)};
    };
    const auto& known = wanted ? wanted : kept.only_active;
    if (known) {
        const CurrentProgram current = find(*known);
        if (current.live && current.version) {
            if (!being_changed(kept.versions_table) || !outdated(*current.version, current.live->market.program))
                return current;
            kept.versions.erase(current.live->market.program);
        }
    }
    const LatestSnapshot latest;
    check_schema_version();
    if (!known) kept.only_active = find_only_active();
    const std::string id = *known;
    CurrentProgram current = find(id);
    if (!current.live) kept.markets[id] = current.live = load_market(id);
    if (!current.version) kept.versions[id] = current.version = load_version(current.live->market);
    return current;
}

std::unordered_map<std::string, CurrentProgram>& pinned_programs() {
    Cache& kept = cache();
    if (!kept.pins_valid) {
        kept.pins_valid = true;
        kept.pins.programs.clear();
        kept.parallel_pins.programs.clear();
    }
    if (!IsInParallelMode()) return kept.pins.of({local_transaction(), GetCurrentStatementStartTimestamp()});
    const Snapshot common = GetActiveSnapshot();
    return kept.parallel_pins.of(
        {common->xmin, common->xmax, common->xcnt, static_cast<std::uint32_t>(common->subxcnt)});
}

}  // namespace

SegmentIndex::SegmentIndex(const std::vector<Segment>& segments) {
    for (std::uint32_t i = 0; i < segments.size(); i++) {
        const Segment& segment = segments[i];
        if (segment.is_static()) {
            static_ones.emplace(segment.id, i);
            continue;
        }
        of_predicate.emplace(segment.predicate_id, i);
        dynamic.push_back(i);
        if (segment.reads_price) reading_price.push_back(i);
        if (segment.reads_min_price) reading_min_price.push_back(i);
        if (segment.reads_fields) reading_fields.push_back(i);
    }
}

// In the canonical form of a path every key stands in quotes, and .* or .keyvalue() reach all of them. Yes is said in
// vain where the word stands in a string literal.
bool reads_member(const Segment& segment, std::string_view key) {
    const auto has = [&](std::string_view text) { return segment.predicate.find(text) != std::string::npos; };
    return has("\"" + std::string(key) + "\"") || has(".*") || has(".keyvalue()");
}

DocumentNeeds::DocumentNeeds(const Program& program) {
    profile_segments = !program.profile_segments.empty();
    for (const auto& segment : program.profile_segments) profile = profile || !segment.is_static();
    tiers = !program.tiers.empty();
    for (const auto& segment : program.order_segments) {
        order = order || !segment.is_static();
        order_lines = order_lines || reads_member(segment, "lines");
        order_lists = order_lists || segment.is_static() || reads_member(segment, "segments");
        goods_by_segment = goods_by_segment || reads_member(segment, "by_segment");
        orders_before = orders_before || reads_member(segment, "orders");
    }
}

Tree empty_tree(const Market& market) {
    Tree tree;
    tree.program = market.program;
    tree.currency = market.currency;
    tree.currency_scale = market.currency_scale;
    tree.price_scale = market.price_scale;
    tree.time_zone = market.time_zone;
    TreeGroup main;
    main.id = main.name = "main";
    tree.groups.push_back(std::move(main));
    return tree;
}

std::shared_ptr<AppliedVersion> make_version(const Tree& tree, std::int32_t number) {
    auto version = std::make_shared<AppliedVersion>();
    version->program = compile(tree, number);
    version->segments = SegmentIndex(version->program.segments);
    version->needs = DocumentNeeds(version->program);
    load_predicates(*version);
    return version;
}

AppliedVersion::~AppliedVersion() {
    if (memory) MemoryContextDelete(memory);
}

bool AppliedVersion::visible() const {
    if (!TransactionIdIsNormal(applied_by)) return true;
    const TransactionId xid = applied_by;
    return postgres(
        [=] { return TransactionIdIsCurrentTransactionId(xid) || !XidInMVCCSnapshot(xid, GetActiveSnapshot()); });
}

CurrentProgram current_program(const std::optional<std::string>& id) {
    auto& pinned = pinned_programs();
    const std::string key = id.value_or("");
    if (const auto found = pinned.find(key); found != pinned.end()) return found->second;
    postgres([] { AcceptInvalidationMessages(); });
    watch_tables();
    const CurrentProgram current = IsInParallelMode() ? load_for_parallel(id) : look_up(id);
    pinned.emplace(key, current);
    return current;
}

static void changed_by_this_transaction() { cache().changed_by = local_transaction(); }

}  // namespace loyalty::pg

// Statement trigger: tells all backends to forget what they keep of the table that the trigger's argument names. By
// name, since on a distributed table the trigger fires on shards.
extern "C" {
PG_FUNCTION_INFO_V1(loyalty_invalidate_cache_trigger);
Datum loyalty_invalidate_cache_trigger(PG_FUNCTION_ARGS) {
    return loyalty::pg::guarded([&]() -> Datum {
        const loyalty::pg::OwnTrigger trigger(fcinfo, "loyalty_internal.invalidate_cache_trigger");
        trigger.require(trigger->tg_trigger->tgnargs == 1 && !trigger.is_for_row(),
                        "FOR EACH STATEMENT, with a table's name");
        const char* const name = trigger->tg_trigger->tgargs[0];
        loyalty::pg::postgres([=] {
            const Oid table = get_relname_relid(name, get_namespace_oid("loyalty", false));
            if (!OidIsValid(table)) return;
            const LOCKTAG tag = loyalty::pg::change_lock(table);
            LockAcquire(&tag, RowExclusiveLock, false, false);
            CacheInvalidateRelcacheByRelid(table);
        });
        loyalty::pg::changed_by_this_transaction();
        return loyalty::pg::no_row;
    });
}
}
