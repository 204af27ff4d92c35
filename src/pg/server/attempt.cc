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

// Of class 57, operator intervention, what the server itself raised where it looks for interrupts. Code of a user's can
// raise an error of any class, but not from there.
bool is_interrupt(const ServerError& error) {
    return ERRCODE_TO_CATEGORY(error.data->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION && error.data->funcname &&
           strcmp(error.data->funcname, "ProcessInterrupts") == 0;
}

Trouble trouble_of(const ServerError& error) {
    return {unpack_sql_state(error.data->sqlerrcode), utf8(error.data->message), utf8(error.data->detail),
            utf8(error.data->hint)};
}

}  // namespace loyalty::pg
