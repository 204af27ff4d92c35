#include "pg/server/attempt.hpp"
#include "pg/server/input.hpp"

namespace loyalty::pg {

namespace {

Datum read_value(const char* text, Oid type) {
    return postgres([=] {
        Oid input;
        Oid parameter;
        getTypeInputInfo(type, &input, &parameter);
        char* value = pg_any_to_server(text, static_cast<int>(strlen(text)), PG_UTF8);
        return OidInputFunctionCall(input, value, parameter, -1);
    });
}

bool says_no_value(const ServerError& error) {
    return ERRCODE_TO_CATEGORY(error.data->sqlerrcode) == ERRCODE_DATA_EXCEPTION ||
           error.data->sqlerrcode == ERRCODE_CHECK_VIOLATION;
}

// Input functions of the server's own types hold nothing when they fail, so that such an error may be let go as it is.
Argument read_own_type(const char* text, Oid type) {
    try {
        return {read_value(text, type), false};
    } catch (const ServerError& error) {
        if (!says_no_value(error)) throw;
        return {0, true};
    }
}

// The check of a domain, or an extension's type, may have done anything before it failed.
Argument read_users_type(const char* text, Oid type) {
    Subtransaction subtransaction;
    try {
        const Datum value = read_value(text, type);
        subtransaction.release();
        return {value, false};
    } catch (const ServerError& error) {
        subtransaction.roll_back();
        if (!says_no_value(error)) throw;
        return {0, true};
    } catch (...) {
        subtransaction.roll_back();
        throw;
    }
}

}  // namespace

Argument cast_text(const std::string& text, Oid type) {
    if (type < FirstNormalObjectId) return read_own_type(text.c_str(), type);
    // A process of a parallel query has no subtransactions: there the error is the statement's.
    if (IsInParallelMode()) return {read_value(text.c_str(), type), false};
    return read_users_type(text.c_str(), type);
}

}  // namespace loyalty::pg
