#include "pg/server/proven_keys.hpp"

#include <algorithm>
#include <cstring>

extern "C" {
#include "commands/trigger.h"
#include "executor/executor.h"
#include "nodes/execnodes.h"
#include "utils/lsyscache.h"
}

namespace loyalty::pg {

namespace {

ExecutorStart_hook_type others_start = nullptr;

struct Announced {
    const char* statement = nullptr;
    const std::vector<const char*>* names = nullptr;
};
Announced announced;

bool is_named(const std::vector<const char*>& names, Oid constraint) {
    char* name = get_constraint_name(constraint);
    const bool found = name != nullptr && std::any_of(names.begin(), names.end(),
                                                      [=](const char* other) { return strcmp(other, name) == 0; });
    if (name != nullptr) pfree(name);
    return found;
}

// The descriptions of triggers are the statement's own copies: no other statement, nor one within this, sees the
// change.
void leave_out(const ResultRelInfo* table, const std::vector<const char*>& names) {
    if (table->ri_TrigDesc == nullptr) return;
    for (int i = 0; i < table->ri_TrigDesc->numtriggers; i++) {
        Trigger& trigger = table->ri_TrigDesc->triggers[i];
        if (trigger.tgisinternal && RI_FKey_trigger_type(trigger.tgfoid) == RI_TRIGGER_FK &&
            is_named(names, trigger.tgconstraint))
            trigger.tgenabled = TRIGGER_DISABLED;
    }
}

void start(QueryDesc* query, int flags) {
    const Announced now = announced;
    const bool is_announced = now.statement != nullptr && strcmp(now.statement, query->sourceText) == 0;
    if (is_announced) announced = {};
    others_start != nullptr ? others_start(query, flags) : standard_ExecutorStart(query, flags);
    if (!is_announced) return;
    ListCell* cell;
    foreach (cell, query->estate->es_opened_result_relations)
        leave_out(static_cast<const ResultRelInfo*>(lfirst(cell)), *now.names);
}

}  // namespace

ProvenKeys::ProvenKeys(const char* statement, const std::vector<const char*>& names) {
    if (!names.empty()) announced = {statement, &names};
}

ProvenKeys::~ProvenKeys() { announced = {}; }

void leave_out_proven_keys() {
    others_start = ExecutorStart_hook;
    ExecutorStart_hook = start;
}

}  // namespace loyalty::pg
