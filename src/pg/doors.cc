#include <cstring>

#include "pg/doors.hpp"

namespace loyalty::pg {

namespace {

template <std::size_t size>
void copy(char (&to)[size], const char* from) noexcept {
    const std::size_t length = std::strlen(from);
    const std::size_t kept = length < size ? length : size - 1;
    std::memcpy(to, from, kept);
    to[kept] = '\0';
}

// A text cut at the end of its array may end within a character.
void cut_to_whole_characters(char* text) {
    text[pg_mbcliplen(text, static_cast<int>(std::strlen(text)), static_cast<int>(std::strlen(text)))] = '\0';
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
    if (failure.server_error) ReThrowError(failure.server_error);
    Failure shown = failure;
    cut_to_whole_characters(shown.message);
    cut_to_whole_characters(shown.detail);
    cut_to_whole_characters(shown.hint);
    const char* s = shown.sqlstate;
    ereport(ERROR, (errcode(MAKE_SQLSTATE(s[0], s[1], s[2], s[3], s[4])), errmsg_internal("%s", shown.message),
                    shown.detail[0] ? errdetail_internal("%s", shown.detail) : 0, shown.hint[0] ? errhint("%s", shown.hint) : 0));
    pg_unreachable();
}

void check_interrupts() {
    if (InterruptPending) postgres([] { CHECK_FOR_INTERRUPTS(); });
}

}  // namespace loyalty::pg
