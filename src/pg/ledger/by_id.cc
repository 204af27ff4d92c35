// loyalty_commit, loyalty_rollback and loyalty_cancel by the id alone: looks up whose it is, and goes on as when that
// is given.
#include "pg/ledger/lookup.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

struct Keys {
    Datum member{}, program{};
};

// Error LY514 where no hold, or neither a transaction nor a hold, has the id.
Keys find_keys(const Arguments& given, const char* noun, bool among_transactions) {
    static Query holds("SELECT member, program::text FROM loyalty.holds WHERE id = $1 LIMIT 1", {UUIDOID});
    static Query transactions(
        "SELECT member, program::text FROM loyalty.transactions WHERE id = $1"
        " UNION ALL SELECT member, program::text FROM loyalty.archived_ids WHERE id = $1 LIMIT 1",
        {UUIDOID});
    const MemoryContext caller = CurrentMemoryContext;
    const AsOwner owner = AsOwner::reading();
    const Spi connection;
    const Named name{given.uuid(0), std::nullopt};
    if (!name.id) throw Error(sqlstate::missing_field, std::string("argument \"") + noun + "\" is missing");
    const FreshSnapshot snapshot;
    Rows rows = holds.run({uuid_argument(*name.id)});
    if (rows.size() == 0 && among_transactions) rows = transactions.run({uuid_argument(*name.id)});
    if (rows.size() == 0) {
        throw Error(sqlstate::unknown_transaction, std::string(noun) + " " + name.shown() + " does not exist", {},
                    "It is looked for among those of all members.");
    }
    ColumnsInTurn columns(rows);
    return {copy_out(columns.datum(TEXTOID), caller), copy_out(columns.datum(TEXTOID), caller)};
}

// As if member and program had been given, too; the other arguments are null.
Datum go_on(PGFunction function, FunctionCallInfo call, const Keys& keys) {
    LOCAL_FCINFO(whole, 5);
    InitFunctionCallInfoData(*whole, call->flinfo, 5, call->fncollation, nullptr, nullptr);
    for (short argument = 0; argument < 5; argument++) whole->args[argument] = {Datum{0}, true};
    whole->args[0] = {keys.member, false};
    whole->args[1] = {keys.program, false};
    whole->args[2] = call->args[0];
    return function(whole);
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {

Datum loyalty_commit(PG_FUNCTION_ARGS);
Datum loyalty_rollback(PG_FUNCTION_ARGS);
Datum loyalty_cancel(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(loyalty_commit_by_id);
Datum loyalty_commit_by_id(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    Keys keys;
    guarded([&]() -> Datum {
        keys = find_keys(Arguments(fcinfo), "hold", false);
        return Datum{0};
    });
    return go_on(loyalty_commit, fcinfo, keys);
}

PG_FUNCTION_INFO_V1(loyalty_rollback_by_id);
Datum loyalty_rollback_by_id(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    Keys keys;
    guarded([&]() -> Datum {
        keys = find_keys(Arguments(fcinfo), "hold", false);
        return Datum{0};
    });
    return go_on(loyalty_rollback, fcinfo, keys);
}

PG_FUNCTION_INFO_V1(loyalty_cancel_by_id);
Datum loyalty_cancel_by_id(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    Keys keys;
    guarded([&]() -> Datum {
        keys = find_keys(Arguments(fcinfo), "transaction", true);
        return Datum{0};
    });
    return go_on(loyalty_cancel, fcinfo, keys);
}
}
