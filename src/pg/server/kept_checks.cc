#include "pg/server/kept_checks.hpp"

#include <cstring>

#include "pg/server/postgres.hpp"

extern "C" {
#include "executor/executor.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/hsearch.h"
}

namespace loyalty::pg {

namespace {

// From version 18 on the server knows of constraints that are not enforced, and of columns that stand in them for an
// expression: there it prepares them itself.
#if PG_VERSION_NUM < 180000

ExecutorStart_hook_type others_start = nullptr;

// All of it is called by the executor as a statement starts: no C++ object lives there, and the memory is the server's.

struct TableChecks {
    Oid table;  // the key
    std::uint64_t generation;
    MemoryContext memory;  // of what follows
    int count;
    const char** texts;  // as the catalogue has them
    Expr** expressions;  // planned
};

HTAB* tables = nullptr;
std::uint64_t generation = 1;

void forget_checks(Datum, int, uint32) { generation++; }

bool are_as_kept(const TableChecks* kept, const TupleConstr* rules) {
    if (kept->generation != generation || kept->count != rules->num_check) return false;
    for (int i = 0; i < kept->count; i++)
        if (strcmp(kept->texts[i], rules->check[i].ccbin) != 0) return false;
    return true;
}

// Attached when it is whole: an error on the way leaves nothing behind.
void read_checks(TableChecks* kept, const TupleConstr* rules) {
    const std::uint64_t now = generation;
    const int count = rules->num_check;
    const MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "kept checks", ALLOCSET_SMALL_SIZES);
    const MemoryContext before = MemoryContextSwitchTo(memory);
    auto** const texts = static_cast<const char**>(palloc(count * sizeof(char*)));
    auto** const expressions = static_cast<Expr**>(palloc(count * sizeof(Expr*)));
    for (int i = 0; i < count; i++) {
        texts[i] = pstrdup(rules->check[i].ccbin);
        expressions[i] = expression_planner(static_cast<Expr*>(stringToNode(texts[i])));
    }
    MemoryContextSwitchTo(before);
    MemoryContextSetParent(memory, TopMemoryContext);
    // Statements that have started may still be using what was kept.
    if (kept->memory != nullptr) MemoryContextSetParent(kept->memory, TopTransactionContext);
    *kept = {kept->table, now, memory, count, texts, expressions};
}

const TableChecks* find_checks(Oid table, const TupleConstr* rules) {
    if (tables == nullptr) {
        HASHCTL control{};
        control.keysize = sizeof(Oid);
        control.entrysize = sizeof(TableChecks);
        tables = hash_create("kept checks", 64, &control, HASH_ELEM | HASH_BLOBS);
    }
    bool is_known;
    auto* const kept = static_cast<TableChecks*>(hash_search(tables, &table, HASH_ENTER, &is_known));
    if (!is_known) *kept = {table, 0, nullptr, 0, nullptr, nullptr};
    if (!are_as_kept(kept, rules)) read_checks(kept, rules);
    return kept;
}

void prepare_checks(ResultRelInfo* result, Oid schema) {
    const Relation table = result->ri_RelationDesc;
    const TupleConstr* const rules = RelationGetDescr(table)->constr;
    if (rules == nullptr || rules->num_check == 0 || RelationGetNamespace(table) != schema) return;
    if (result->ri_ConstraintExprs != nullptr) return;
    const TableChecks* const kept = find_checks(RelationGetRelid(table), rules);
    auto** const prepared = static_cast<ExprState**>(palloc(rules->num_check * sizeof(ExprState*)));
    for (int i = 0; i < rules->num_check; i++) prepared[i] = ExecInitExpr(kept->expressions[i], nullptr);
    result->ri_ConstraintExprs = prepared;
}

void start_checked(QueryDesc* query, int flags) {
    others_start != nullptr ? others_start(query, flags) : standard_ExecutorStart(query, flags);
    EState* const state = query->estate;
    if (state->es_opened_result_relations == nullptr || query->operation == CMD_DELETE) return;
    if ((flags & EXEC_FLAG_EXPLAIN_ONLY) != 0) return;
    const MemoryContext before = MemoryContextSwitchTo(state->es_query_cxt);
    const Oid schema = get_namespace_oid("loyalty", true);
    ListCell* cell;
    foreach (cell, state->es_opened_result_relations)
        prepare_checks(static_cast<ResultRelInfo*>(lfirst(cell)), schema);
    MemoryContextSwitchTo(before);
}

#endif

}  // namespace

void keep_checks() {
#if PG_VERSION_NUM < 180000
    CacheRegisterSyscacheCallback(PROCOID, forget_checks, 0);
    CacheRegisterSyscacheCallback(TYPEOID, forget_checks, 0);
    CacheRegisterSyscacheCallback(OPEROID, forget_checks, 0);
    others_start = ExecutorStart_hook;
    ExecutorStart_hook = start_checked;
#endif
}

}  // namespace loyalty::pg
