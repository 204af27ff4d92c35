#include "pg/server/keyed_plan.hpp"

#include "pg/server/settings.hpp"

extern "C" {
#include "nodes/pathnodes.h"
#include "optimizer/plancat.h"
#include "utils/guc.h"
#include "utils/plancache.h"
#include "utils/selfuncs.h"
}

namespace loyalty::pg {

namespace {

// Off while planning, since an index does for any size.
const char* const off_while_planning[] = {"enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_bitmapscan",
                                          "enable_material"};

// A large table: so large that half a key costs more than a whole one, wherever there is an index for it.
constexpr double rows = 1e9;
constexpr BlockNumber pages = 20000000;
constexpr BlockNumber index_pages = 5000000;
constexpr int index_height = 3;

get_relation_info_hook_type others_size = nullptr;
get_relation_stats_hook_type others_column = nullptr;
get_index_stats_hook_type others_index = nullptr;
bool planning_by_keys = false;

bool plans_by_keys() { return planning_by_keys || settings::plan_by_keys; }

bool is_ours(Oid relation) { return get_rel_namespace(relation) == get_namespace_oid("loyalty", true); }

// Whether one row is looked for, to be locked in the way in which only foreign keys do it.
bool is_foreign_key_check(const ::Query* query) {
    if (list_length(query->rtable) != 1 || list_length(query->rowMarks) != 1) return false;
    return static_cast<const RowMarkClause*>(linitial(query->rowMarks))->strength == LCS_FORKEYSHARE;
}

void tell_size(PlannerInfo* planner, Oid relation, bool with_children, RelOptInfo* told) {
    if (others_size != nullptr) others_size(planner, relation, with_children, told);
    if (!plans_by_keys() && !is_foreign_key_check(planner->parse)) return;
    if (!is_ours(relation)) return;
    told->pages = pages;
    told->tuples = rows;
    told->allvisfrac = 0;
    // Nobody shall help to look up a row.
    told->rel_parallel_workers = 0;
    ListCell* cell;
    foreach (cell, told->indexlist) {
        auto* index = static_cast<IndexOptInfo*>(lfirst(cell));
        index->pages = index_pages;
        index->tuples = rows;
        index->tree_height = index_height;
    }
}

// True: what there is to know of the column was told, and it is nothing.
bool tell_column(PlannerInfo* planner, RangeTblEntry* table, AttrNumber column, VariableStatData* told) {
    if (plans_by_keys() && table->rtekind == RTE_RELATION && is_ours(table->relid)) return true;
    return others_column != nullptr && others_column(planner, table, column, told);
}

bool tell_index(PlannerInfo* planner, Oid index, AttrNumber column, VariableStatData* told) {
    if (plans_by_keys() && is_ours(index)) return true;
    return others_index != nullptr && others_index(planner, index, column, told);
}

void switch_off(const char* setting) {
    set_config_option(setting, "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

bool has_plan(SPIPlanPtr statement) {
    const List* sources = SPI_plan_get_plan_sources(statement);
    if (list_length(sources) != 1) return true;
    const auto* source = static_cast<const CachedPlanSource*>(linitial(sources));
    return source->is_valid && source->gplan != nullptr && source->gplan->is_valid;
}

}  // namespace

void plan_by_keys(SPIPlanPtr statement, bool of_others) {
    if (has_plan(statement)) return;
    const int level = NewGUCNestLevel();
    // A plan that reads a table believed to be large, or uses what is switched off, looks very dear, and would be
    // compiled for that: 50 MB of compiler, and some more for each such plan (measured).
    switch_off("jit");
    if (!of_others)
        for (const char* setting : off_while_planning) switch_off(setting);
    planning_by_keys = true;
    PG_TRY();
    {
        CachedPlan* plan = SPI_plan_get_cached_plan(statement);
        if (plan != nullptr) ReleaseCachedPlan(plan, CurrentResourceOwner);
    }
    PG_FINALLY();
    {
        planning_by_keys = false;
    }
    PG_END_TRY();
    AtEOXact_GUC(false, level);
}

void plan_foreign_keys_by_keys() {
    others_size = get_relation_info_hook;
    others_column = get_relation_stats_hook;
    others_index = get_index_stats_hook;
    get_relation_info_hook = tell_size;
    get_relation_stats_hook = tell_column;
    get_index_stats_hook = tell_index;
}

}  // namespace loyalty::pg
