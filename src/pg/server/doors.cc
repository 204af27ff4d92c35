#include "pg/server/doors.hpp"

#include <cstring>

namespace loyalty::pg {

namespace {

template <std::size_t size>
void copy(char (&to)[size], const char* from) noexcept {
    const std::size_t length = std::strlen(from);
    const std::size_t kept = length < size ? length : size - 1;
    std::memcpy(to, from, kept);
    to[kept] = '\0';
}

// The text in the server's encoding. One that was cut at the end of its array may end within a character.
const char* for_server(char* utf8) {
    utf8[pg_encoding_mbcliplen(PG_UTF8, utf8, static_cast<int>(std::strlen(utf8)),
                               static_cast<int>(std::strlen(utf8)))] = '\0';
    return pg_any_to_server(utf8, static_cast<int>(std::strlen(utf8)), PG_UTF8);
}

}  // namespace

void Failure::record(const Error& error) noexcept {
    record(error.sqlstate().c_str(), error.message().c_str());
    copy(detail, error.detail().c_str());
    copy(hint, error.hint().c_str());
}

void Failure::record(const char* code, const char* text) noexcept {
    copy(sqlstate, code);
    copy(message, text);
}

void raise(const Failure& failure) {
    if (failure.server_error) {
        ErrorData* const error = failure.server_error;
        if (std::strncmp(unpack_sql_state(error->sqlerrcode), "LY", 2) != 0) ReThrowError(error);
        // One of ours says all that there is to say: which statements of ours led to it, nobody has asked.
        error->context = nullptr;
        error->internalquery = nullptr;
        ThrowErrorData(error);
    }
    Failure shown = failure;
    const char* const message = for_server(shown.message);
    const char* const detail = for_server(shown.detail);
    const char* const hint = for_server(shown.hint);
    const char* const s = shown.sqlstate;
    ereport(ERROR, (errcode(MAKE_SQLSTATE(s[0], s[1], s[2], s[3], s[4])), errmsg_internal("%s", message),
                    detail[0] ? errdetail_internal("%s", detail) : 0, hint[0] ? errhint("%s", hint) : 0));
    pg_unreachable();
}

namespace {

// Copying may fail, too: null where there is no memory for it.
[[gnu::noinline]] ErrorData* copy_error() noexcept {
    sigjmp_buf* const outer_stack = PG_exception_stack;
    ErrorContextCallback* const outer_context = error_context_stack;
    ErrorData* volatile copied = nullptr;
    sigjmp_buf here;
    if (sigsetjmp(here, 0) == 0) {
        PG_exception_stack = &here;
        copied = CopyErrorData();
    }
    PG_exception_stack = outer_stack;
    error_context_stack = outer_context;
    FlushErrorState();
    return copied;
}

}  // namespace

void throw_server_error() {
    const MemoryContext memory = CurrentMemoryContext;
    ErrorData* const data = copy_error();
    MemoryContextSwitchTo(memory);
    if (!data) throw std::bad_alloc();
    throw ServerError{data};
}

void check_interrupts() {
    if (InterruptPending) postgres([] { CHECK_FOR_INTERRUPTS(); });
}

}  // namespace loyalty::pg
