#include "pg/promotions/draft.hpp"

#include "pg/server/spi.hpp"

namespace loyalty::pg {

namespace {

// For each row that is edited: a version of the draft's row that this transaction made is locked already.
Datum note_editor(Datum program) {
    static Query query(
        "UPDATE loyalty.drafts AS draft SET edits = draft.edits + 1"
        " WHERE draft.program = $1 AND draft.xmin <> pg_catalog.pg_current_xact_id()::pg_catalog.xid",
        {TEXTOID});
    const Spi connection;
    query.run({{program, false}}, true);
    return Datum{0};
}

}  // namespace

void lock_draft(const std::string& program) {
    static Query query("SELECT FROM loyalty.drafts WHERE program = $1 FOR NO KEY UPDATE", {TEXTOID});
    if (query.run({text_argument(program)}, true).size() == 0) {
        throw Error(sqlstate::unknown_program, "program \"" + program + "\" does not exist", {},
                    "Name one of loyalty.programs.");
    }
}

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_is_reverting);
Datum loyalty_is_reverting(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(loyalty::pg::Reverting::holds()); }

PG_FUNCTION_INFO_V1(loyalty_lock_draft);
Datum loyalty_lock_draft(PG_FUNCTION_ARGS) {
    return loyalty::pg::guarded([&] { return loyalty::pg::note_editor(PG_GETARG_DATUM(0)); });
}
}
