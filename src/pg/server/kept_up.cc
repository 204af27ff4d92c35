// Statement trigger of the tables that functions and triggers keep up, before rows are changed or deleted.
#include "pg/server/keeping.hpp"
#include "pg/server/trigger.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_kept_up_trigger);
Datum loyalty_kept_up_trigger(PG_FUNCTION_ARGS) {
    using namespace loyalty;
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const OwnTrigger trigger(fcinfo, "loyalty_internal.kept_up_trigger");
        trigger.require(!trigger.is_for_row(), "FOR EACH STATEMENT");
        // Foreign keys alone work so; nothing of SQL can say that it is one.
        const bool follows_a_key = postgres([] { return InNoForceRLSOperation(); });
        if (Keeping::holds() || follows_a_key) return no_row;
        const std::string table = RelationGetRelationName(trigger->tg_relation);
        const bool is_tiers = table.starts_with("member_tier");
        throw Error(sqlstate::kept_up, "table \"loyalty." + table + "\" is kept up by functions", {},
                    is_tiers ? "Give a tier by hand with loyalty_set_tier(); loyalty_judge() judges anew."
                             : "Edit the products or segments that it follows; loyalty_apply() repairs it.");
    });
}
}
