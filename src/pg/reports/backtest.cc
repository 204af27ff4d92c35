// loyalty_replay: what a stored order would have come to with another version of the promotion tree, or the draft,
// beside what it came to. The one row of loyalty_backtest(), which the server spreads over parallel processes.
#include <memory>

#include "pg/orders/stored_result.hpp"
#include "pg/reports/replay.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/memory.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

// What a statement keeps between its calls of the function; gone with its plan's execution.
Replay& kept_replay(FunctionCallInfo call, const std::string& program, std::optional<std::int32_t> version) {
    FmgrInfo* function = call->flinfo;
    if (function->fn_extra) return *static_cast<Replay*>(function->fn_extra);
    const AsOwner as_owner = AsOwner::reading();
    const Spi connection;
    auto made = std::make_unique<Replay>(program, version);
    Replay* replay = made.get();
    postgres([=] {
        auto* end = static_cast<MemoryContextCallback*>(
            MemoryContextAllocZero(function->fn_mcxt, sizeof(MemoryContextCallback)));
        end->func = [](void* kept) { delete static_cast<Replay*>(kept); };
        end->arg = replay;
        MemoryContextRegisterResetCallback(function->fn_mcxt, end);
        function->fn_extra = replay;
    });
    made.release();
    return *replay;
}

Datum row_of(FunctionCallInfo call, const Comparison& values) {
    Datum datums[comparison_width];
    bool nulls[comparison_width];
    for (std::size_t i = 0; i < values.size(); i++) {
        datums[i] = values[i].value;
        nulls[i] = values[i].is_null;
    }
    Datum* first = datums;
    bool* is_null = nulls;
    return postgres([=] {
        TupleDesc description;
        if (get_call_result_type(call, nullptr, &description) != TYPEFUNC_COMPOSITE ||
            description->natts != comparison_width)
            elog(ERROR, "loyalty_internal.replay() is not declared as the extension declares it");
        return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), first, is_null));
    });
}

Datum replay(FunctionCallInfo call) {
    const Arguments given(call);
    const std::string program = given.required(0, "program");
    const auto version = given.integer(1);
    const auto request = given.datum(2), resolved = given.datum(3), result = given.datum(4);
    Replay& kept = kept_replay(call, program, version);
    const auto failed = [&](const std::string& error) { return row_of(call, failed_comparison(result, error)); };
    if (!request) return failed("the content of the order was erased");
    try {
        const StoredOrder stored{*request, resolved, given.integer(5).value_or(0)};
        return row_of(call, compare(kept.program(), kept.calculate(kept.resolve(stored, GetUserId())), result));
    } catch (const Unreplayable& failure) {
        return failed(failure.text);
    } catch (const Error& error) {
        if (concerns_database(error)) throw;
        return failed(shown(error));
    }
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_replay);
Datum loyalty_replay(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const CalculationMemory memory;
        return replay(fcinfo);
    });
}

PG_FUNCTION_INFO_V1(loyalty_effective_promotions);
Datum loyalty_effective_promotions(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded(
        [&]() -> Datum { return texts_argument(read_stored_result(Arguments(fcinfo).datum(0)).promotions).value; });
}
}
