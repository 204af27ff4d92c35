// loyalty_judge_trigger: who changes profiles has the dynamic tiers judged that look at them, in the same statement.
#include "pg/members/lock.hpp"
#include "pg/members/profile_database.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/owner.hpp"
#include "pg/server/trigger.hpp"
#include "pg/tiers/tiers.hpp"

namespace loyalty::pg {

namespace {

constexpr std::size_t slice_size = 10'000;

[[noreturn]] void fail_misused(const std::string& detail) {
    throw Error(sqlstate::wrong_trigger, "loyalty_judge_trigger() is not used as it can be", detail,
                "See its description: SELECT obj_description('loyalty_judge_trigger'::regproc).");
}

void check_use(const TriggerData& trigger) {
    const auto event = trigger.tg_event;
    if (!TRIGGER_FIRED_AFTER(event) || !TRIGGER_FIRED_FOR_STATEMENT(event) || !trigger.tg_newtable)
        fail_misused("It is for AFTER INSERT or UPDATE ... REFERENCING NEW TABLE AS written ... FOR EACH STATEMENT.");
    if (trigger.tg_trigger->tgnargs != 0 && trigger.tg_trigger->tgnargs != 2)
        fail_misused(
            "Its arguments are a program and a column, or none where the table is the profile database itself.");
}

struct Judged {
    std::string program, key_column;
};

// The active programs with dynamic tiers to which the table's rows are profiles.
std::vector<Judged> judged_by(const TriggerData& trigger) {
    static Query of_relation(
        "SELECT p.external_id, d.key_column::text"
        "  FROM loyalty.profile_databases d JOIN loyalty.programs p ON p.profile_database = d.external_id"
        " WHERE d.relation = $1 AND p.active"
        "   AND EXISTS (SELECT FROM loyalty.tiers t WHERE t.program = p.external_id AND t.predicate IS NOT NULL)",
        {OIDOID});
    if (trigger.tg_trigger->tgnargs == 2) {
        const auto argument = [&](int number) {
            const char* given = trigger.tg_trigger->tgargs[number];
            return std::string(
                postgres([=] { return pg_server_to_any(given, static_cast<int>(strlen(given)), PG_UTF8); }));
        };
        if (!load_profile_database(argument(0)).program_active) return {};
        return {{argument(0), argument(1)}};
    }
    const Rows rows = of_relation.run({{ObjectIdGetDatum(RelationGetRelid(trigger.tg_relation)), false}});
    std::vector<Judged> programs;
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn columns(rows, row);
        programs.push_back({columns.text(), columns.text()});
    }
    return programs;
}

// The keys in the rows that were written, read as who wrote them.
std::vector<std::string> written_keys(TriggerData* trigger, const std::string& column) {
    const char* name = column.c_str();
    const Spi connection;
    const auto [table, count] = postgres([=] {
        const char* local = pg_any_to_server(name, static_cast<int>(strlen(name)), PG_UTF8);
        const char* query = psprintf("SELECT DISTINCT CAST(w.%s AS pg_catalog.text) FROM %s w", quote_identifier(local),
                                     quote_identifier(trigger->tg_trigger->tgnewtable));
        SPI_register_trigger_data(trigger);
        if (SPI_execute(query, true, 0) != SPI_OK_SELECT) elog(ERROR, "the rows written cannot be read");
        return std::pair(SPI_tuptable, SPI_processed);
    });
    const Rows rows(table, count);
    std::vector<std::string> keys;
    for (std::uint64_t row = 0; row < rows.size(); row++)
        if (auto key = rows.optional_text(row, 1)) keys.push_back(std::move(*key));
    return keys;
}

void judge(const std::string& program, const std::vector<std::string>& keys) {
    static Query query(
        "SELECT array_agg(m.member) FROM unnest($2::text[]) k (member) JOIN loyalty.members m ON m.member = k.member"
        " WHERE m.program = $1 AND m.removed_at IS NULL",
        {TEXTOID, TEXTARRAYOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run_for(keys.size(), {text_argument(program), texts_argument(keys)});
    const auto members = rows.texts(0, 1);
    if (members.empty()) return;
    lock_members(program, members);
    make_standings(program, members);
    judge_members(program, members, now(), current_caller());
}

void judge_written(TriggerData* trigger) {
    const auto programs = [&] {
        const AsOwner owner = AsOwner::by_trigger();
        const Spi connection;
        return judged_by(*trigger);
    }();
    for (const auto& [program, key_column] : programs) {
        const auto keys = written_keys(trigger, key_column);
        for (std::size_t first = 0; first < keys.size(); first += slice_size) {
            const AsOwner owner = AsOwner::by_trigger();
            const Spi connection;
            const auto last = std::min(keys.size(), first + slice_size);
            judge(program, {keys.begin() + static_cast<std::ptrdiff_t>(first),
                            keys.begin() + static_cast<std::ptrdiff_t>(last)});
        }
    }
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_judge_trigger);
Datum loyalty_judge_trigger(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        if (!CALLED_AS_TRIGGER(fcinfo)) fail_misused("It was not called by a trigger.");
        auto* trigger = reinterpret_cast<TriggerData*>(fcinfo->context);
        check_use(*trigger);
        require_right_to_fire(fcinfo);
        judge_written(trigger);
        return PointerGetDatum(nullptr);
    });
}
}
