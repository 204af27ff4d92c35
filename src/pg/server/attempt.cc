#include "pg/server/attempt.hpp"

extern "C" {
#include "utils/resowner.h"
}

namespace loyalty::pg {

namespace {

// Null is no text.
std::string utf8(const char* server_text) {
    if (!server_text) return {};
    return postgres([=] { return pg_server_to_any(server_text, static_cast<int>(strlen(server_text)), PG_UTF8); });
}

}  // namespace

Subtransaction::Subtransaction() : memory_(CurrentMemoryContext), owner_(CurrentResourceOwner) {
    const MemoryContext memory = memory_;
    postgres([=] {
        BeginInternalSubTransaction(nullptr);
        MemoryContextSwitchTo(memory);
    });
}

void Subtransaction::release() {
    postgres([] { ReleaseCurrentSubTransaction(); });
    MemoryContextSwitchTo(memory_);
    CurrentResourceOwner = owner_;
}

void Subtransaction::roll_back() {
    postgres([] { RollbackAndReleaseCurrentSubTransaction(); });
    MemoryContextSwitchTo(memory_);
    CurrentResourceOwner = owner_;
}

// Classes 53, 57 and 58: insufficient resources, operator intervention, system errors.
bool is_of_the_server(const ServerError& error) {
    const int category = ERRCODE_TO_CATEGORY(error.data->sqlerrcode);
    return category == ERRCODE_INSUFFICIENT_RESOURCES || category == ERRCODE_OPERATOR_INTERVENTION ||
           category == ERRCODE_SYSTEM_ERROR;
}

Trouble trouble_of(const ServerError& error) {
    return {unpack_sql_state(error.data->sqlerrcode), utf8(error.data->message), utf8(error.data->detail)};
}

}  // namespace loyalty::pg
