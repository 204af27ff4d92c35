#include "codec/tree_reader.hpp"
#include "core/tree.hpp"

#include <unordered_map>

#include "pg/cache.hpp"
#include "pg/owner.hpp"
#include "pg/schema_version.hpp"

extern "C" {
#include "storage/proc.h"
}

namespace loyalty::pg {

namespace {

struct Cache {
    // Set by invalidations, which may arrive at any time.
    bool markets_valid = false;
    bool versions_valid = false;
    Oid programs_table = InvalidOid;
    Oid versions_table = InvalidOid;
    std::unordered_map<std::string, std::shared_ptr<const LiveProgram>> markets;
    std::unordered_map<std::string, std::shared_ptr<const AppliedVersion>> versions;
    std::optional<std::string> only_active;

    // The statement that `pinned` belongs to.
    LocalTransactionId transaction = InvalidLocalTransactionId;
    TimestampTz statement = 0;
    CommandId command = 0;
    std::unordered_map<std::string, CurrentProgram> pinned;
};

Cache& cache() {
    static Cache instance;
    return instance;
}

void invalidate(Datum, Oid table) {
    Cache& kept = cache();
    if (table == InvalidOid || table == kept.programs_table) kept.markets_valid = false;
    if (table == InvalidOid || table == kept.versions_table) kept.versions_valid = false;
}

Oid table_oid(const char* name) {
    return postgres([=] { return get_relname_relid(name, get_namespace_oid("loyalty", false)); });
}

// Finds the tables whose invalidations count; after the schema was made anew they are others, and nothing kept is valid.
void watch_tables() {
    static const bool registered = [] {
        postgres([] { CacheRegisterRelcacheCallback(invalidate, 0); });
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
    throw Error(sqlstate::unknown_program, "program \"" + id + "\" does not exist", {}, "Name one of loyalty.programs.");
}

std::string find_only_active() {
    static Query query("SELECT external_id FROM loyalty.programs WHERE active", {});
    const Rows rows = query.run({});
    if (rows.size() == 1) return rows.text(0, 1);
    throw Error(sqlstate::unknown_program, "the order names no program",
                std::to_string(rows.size()) + " programs are active.",
                rows.size() == 0 ? "Activate a program with UPDATE loyalty.programs SET active = true." : "Name one with \"program\".");
}

std::string profile_query(Oid relation, const std::string& key_column) {
    const char* column = key_column.c_str();
    const char* text = postgres([=] {
        const AttrNumber number = get_attnum(relation, column);
        const char* type = format_type_be_qualified(get_atttype(relation, number));
        const char* table = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), get_rel_name(relation));
        return psprintf("SELECT FROM %s WHERE %s = CAST($1 AS %s) LIMIT 1", table, quote_identifier(column), type);
    });
    return text;
}

StatusKind status_kind(const std::string& kind) {
    if (kind == "delivered") return StatusKind::delivered;
    if (kind == "cancelled") return StatusKind::cancelled;
    if (kind == "refunded") return StatusKind::refunded;
    return StatusKind::open;
}

std::shared_ptr<const LiveProgram> load_market(const std::string& id) {
    static Query query(
        "SELECT p.active, p.currency::text, p.currency_scale::integer, p.time_zone, p.profile_database, d.relation::oid,"
        "       d.key_column::text,"
        "       ARRAY(SELECT external_id FROM loyalty.channels WHERE program = p.external_id),"
        "       ARRAY(SELECT external_id FROM loyalty.contact_points WHERE program = p.external_id ORDER BY external_id),"
        "       ARRAY(SELECT channel FROM loyalty.contact_points WHERE program = p.external_id ORDER BY external_id),"
        "       ARRAY(SELECT external_id FROM loyalty.regions WHERE program = p.external_id),"
        "       ARRAY(SELECT external_id FROM loyalty.order_statuses ORDER BY external_id),"
        "       ARRAY(SELECT position::integer FROM loyalty.order_statuses ORDER BY external_id),"
        "       ARRAY(SELECT kind FROM loyalty.order_statuses ORDER BY external_id),"
        "       ARRAY(SELECT external_id FROM loyalty.point_types WHERE program = p.external_id)"
        "  FROM loyalty.programs p JOIN loyalty.profile_databases d ON d.external_id = p.profile_database"
        " WHERE p.external_id = $1",
        {TEXTOID});
    check_schema_version();
    const Rows rows = query.run({text_argument(id)});
    if (rows.size() == 0) fail_unknown(id);

    auto live = std::make_shared<LiveProgram>();
    Market& market = live->market;
    market.program = id;
    market.active = rows.boolean(0, 1);
    market.currency = rows.text(0, 2);
    market.currency_scale = rows.integer(0, 3);
    market.time_zone = rows.text(0, 4);
    market.profile_database = rows.text(0, 5);
    const Oid relation = rows.oid(0, 6);
    for (auto& channel : rows.texts(0, 8)) market.channels.insert(std::move(channel));
    const auto points = rows.texts(0, 9), channels = rows.texts(0, 10);
    for (std::size_t i = 0; i < points.size(); i++) market.contact_points.emplace(points[i], channels[i]);
    for (auto& region : rows.texts(0, 11)) market.regions.insert(std::move(region));
    const auto statuses = rows.texts(0, 12), kinds = rows.texts(0, 14);
    const auto positions = rows.integers(0, 13);
    for (std::size_t i = 0; i < statuses.size(); i++) market.statuses.emplace(statuses[i], Status{positions[i], status_kind(kinds[i])});
    for (auto& type : rows.texts(0, 15)) market.point_types.insert(std::move(type));

    live->bundled_profiles = relation == table_oid("profiles");
    if (!live->bundled_profiles) {
        live->profile_exists = std::make_unique<Query>(profile_query(relation, rows.text(0, 7)).c_str(), std::initializer_list<Oid>{TEXTOID});
    }
    return live;
}

// The tree of a program that nothing was applied to yet: quotes give base prices.
Tree empty_tree(const Market& market) {
    Tree tree;
    tree.program = market.program;
    tree.currency = market.currency;
    tree.currency_scale = market.currency_scale;
    tree.time_zone = market.time_zone;
    TreeGroup main;
    main.id = main.name = "main";
    tree.groups.push_back(std::move(main));
    return tree;
}

void load_predicates(AppliedVersion& version) {
    MemoryContext* memory = &version.memory;
    postgres([=] { *memory = AllocSetContextCreate(CacheMemoryContext, "loyalty applied version", ALLOCSET_SMALL_SIZES); });
    for (const auto& segment : version.program.segments) {
        if (segment.is_static()) {
            version.predicates.push_back(0);
            continue;
        }
        const char* text = segment.predicate.c_str();
        version.predicates.push_back(postgres([=] {
            MemoryContext before = MemoryContextSwitchTo(*memory);
            const Datum path = DirectFunctionCall1(jsonpath_in, CStringGetDatum(text));
            MemoryContextSwitchTo(before);
            return path;
        }));
    }
}

std::shared_ptr<const AppliedVersion> load_version(const Market& market) {
    static Query query("SELECT version, tree::text, xmin FROM loyalty.promotion_versions WHERE program = $1 ORDER BY version DESC LIMIT 1",
                       {TEXTOID});
    const Rows rows = query.run({text_argument(market.program)});
    auto version = std::make_shared<AppliedVersion>();
    if (rows.size() == 0) {
        version->program = compile(empty_tree(market), 0);
        return version;
    }
    version->program = compile(codec::read_tree(rows.text(0, 2)), rows.integer(0, 1));
    version->segments = SegmentIndex(version->program.segments);
    version->applied_by = DatumGetTransactionId(rows.datum(0, 3));
    load_predicates(*version);
    return version;
}

// Brings the kept entries up to date with what is committed, and returns the program's.
CurrentProgram look_up(const std::optional<std::string>& wanted) {
    Cache& kept = cache();
    postgres([] { AcceptInvalidationMessages(); });
    watch_tables();
    if (!kept.markets_valid) {
        kept.markets.clear();
        kept.only_active.reset();
    }
    if (!kept.versions_valid) kept.versions.clear();

    const auto load = [&](const std::string& id, bool market_too) {
        const LatestSnapshot latest;
        kept.markets_valid = kept.versions_valid = true;
        if (market_too) kept.markets[id] = load_market(id);
        if (!kept.versions.contains(id)) kept.versions[id] = load_version(kept.markets[id]->market);
    };
    std::string id;
    if (wanted) {
        id = *wanted;
    } else {
        if (!kept.only_active) {
            const LatestSnapshot latest;
            check_schema_version();
            kept.markets_valid = true;
            kept.only_active = find_only_active();
        }
        id = *kept.only_active;
    }
    const bool market_too = !kept.markets.contains(id);
    if (market_too || !kept.versions.contains(id)) load(id, market_too);
    CurrentProgram current{kept.markets[id], kept.versions[id]};
    if (IsInParallelMode() && !current.version->visible()) {
        // All processes of a parallel query work on one version: that of their common snapshot.
        current.version = load_version(current.live->market);
    }
    return current;
}

}  // namespace

SegmentIndex::SegmentIndex(const std::vector<Segment>& segments) {
    for (std::uint32_t i = 0; i < segments.size(); i++) {
        const Segment& segment = segments[i];
        if (segment.is_static()) {
            static_ones.emplace(segment.id, i);
            static_names.push_back(segment.id);
            continue;
        }
        of_predicate.emplace(segment.predicate_id, i);
        dynamic.push_back(i);
        if (segment.reads_price) reading_price.push_back(i);
        if (segment.reads_min_price) reading_min_price.push_back(i);
        if (segment.reads_fields) reading_fields.push_back(i);
    }
}

LiveProgram::~LiveProgram() {
    if (profile_exists) profile_exists->release();
}

AppliedVersion::~AppliedVersion() {
    if (memory) MemoryContextDelete(memory);
}

bool AppliedVersion::visible() const {
    if (!TransactionIdIsNormal(applied_by)) return true;
    const TransactionId xid = applied_by;
    return postgres([=] { return TransactionIdIsCurrentTransactionId(xid) || !XidInMVCCSnapshot(xid, GetActiveSnapshot()); });
}

CurrentProgram current_program(const std::optional<std::string>& id) {
    Cache& kept = cache();
    const LocalTransactionId transaction = MyProc->lxid;
    const TimestampTz statement = GetCurrentStatementStartTimestamp();
    const CommandId command = GetCurrentCommandId(false);
    if (transaction != kept.transaction || statement != kept.statement || command != kept.command) {
        kept.pinned.clear();
        kept.transaction = transaction;
        kept.statement = statement;
        kept.command = command;
    }
    const std::string key = id.value_or("");
    const auto pinned = kept.pinned.find(key);
    if (pinned != kept.pinned.end()) return pinned->second;
    const CurrentProgram current = look_up(id);
    kept.pinned.emplace(key, current);
    return current;
}

}  // namespace loyalty::pg

// Statement trigger: tells all backends to forget what they keep of the table that the trigger's argument names. By name,
// since on a distributed table the trigger fires on shards.
extern "C" {
PG_FUNCTION_INFO_V1(loyalty_invalidate_cache_trigger);
Datum loyalty_invalidate_cache_trigger(PG_FUNCTION_ARGS) {
    return loyalty::pg::guarded([&]() -> Datum {
        loyalty::pg::postgres([=] {
            if (!CALLED_AS_TRIGGER(fcinfo)) elog(ERROR, "loyalty_invalidate_cache_trigger was not called as a trigger");
            const Trigger* trigger = reinterpret_cast<TriggerData*>(fcinfo->context)->tg_trigger;
            if (trigger->tgnargs != 1) elog(ERROR, "loyalty_invalidate_cache_trigger needs the name of a table");
            const Oid table = get_relname_relid(trigger->tgargs[0], get_namespace_oid("loyalty", false));
            if (OidIsValid(table)) CacheInvalidateRelcacheByRelid(table);
        });
        return PointerGetDatum(nullptr);
    });
}
}
