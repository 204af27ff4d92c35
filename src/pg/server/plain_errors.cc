#include "pg/server/plain_errors.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string_view>

#include "pg/server/postgres.hpp"

extern "C" {
#include "utils/elog.h"
}

namespace loyalty::pg {

namespace {

emit_log_hook_type others = nullptr;

// Whether a context begins with the text of a statement or of an expression, which 18 calls one of PL/pgSQL.
bool is_statement(std::string_view context) {
    constexpr std::string_view words[] = {"SQL statement \"", "SQL expression \"", "PL/pgSQL expression \"",
                                          "PL/pgSQL assignment \""};
    return std::any_of(std::begin(words), std::end(words), [&](auto word) { return context.starts_with(word); });
}

// The first entry of a context: a line, or the lines of a statement up to the quotation mark that ends it.
std::string_view first_entry(std::string_view context) {
    const std::string_view last = is_statement(context) ? "\"\n" : "\n";
    const std::size_t end = context.find(last);
    return end == std::string_view::npos ? context : context.substr(0, end + last.size());
}

// Whether it is about a function of ours: `PL/pgSQL function public.loyalty_apply(text) line 3 at RAISE`.
bool is_about_ours(std::string_view entry) {
    const std::size_t name = entry.find("function ");
    if (name == std::string_view::npos || is_statement(entry)) return false;
    std::string_view called = entry.substr(name + std::strlen("function "));
    called = called.substr(0, called.find('('));
    const std::size_t dot = called.rfind('.');
    if (called.starts_with("loyalty.") || called.starts_with("loyalty_internal.")) return true;
    if (dot != std::string_view::npos) called.remove_prefix(dot + 1);
    if (called.starts_with('"')) called.remove_prefix(1);
    return called.starts_with("loyalty_");
}

// Whether it is what a foreign key of ours does to rows that name a row which goes.
bool is_foreign_key_of_ours(std::string_view entry) {
    return entry.starts_with("SQL statement \"DELETE FROM ONLY \"loyalty\".") ||
           entry.starts_with("SQL statement \"UPDATE ONLY \"loyalty\".");
}

// How much of a context, which begins with the innermost, is about ours. A statement is of the function that is named
// next.
std::size_t size_of_ours(std::string_view context) {
    std::size_t ours = 0;
    for (std::size_t read = 0; read < context.size();) {
        const std::string_view entry = first_entry(context.substr(read));
        read += entry.size();
        if (is_about_ours(entry) || is_foreign_key_of_ours(entry))
            ours = read;
        else if (!is_statement(entry))
            break;
    }
    return ours;
}

// Within the text itself: the server frees it.
void tell(ErrorData* error) {
    if (error->context != nullptr && std::strncmp(unpack_sql_state(error->sqlerrcode), "LY", 2) == 0) {
        const std::size_t size = std::strlen(error->context);
        const std::size_t ours = size_of_ours({error->context, size});
        std::memmove(error->context, error->context + ours, size - ours + 1);
        if (error->context[0] == '\0') error->context = nullptr;
    }
    if (others != nullptr) others(error);
}

}  // namespace

void tell_errors_plainly() {
    others = emit_log_hook;
    emit_log_hook = tell;
}

}  // namespace loyalty::pg
